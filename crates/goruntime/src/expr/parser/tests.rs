use super::{Expr, Node, Type, parse};

/// The tree in brackets, so that a test can be read.
fn shown(expr: &Expr) -> String {
    let list = |list: &[Expr]| list.iter().map(shown).collect::<Vec<_>>().join(" ");
    match &expr.node {
        Node::Name(name) => name.clone(),
        Node::Int(number) => number.to_string(),
        Node::Rune(c) => format!("{c:?}"),
        Node::Float(number) => format!("{number:?}"),
        Node::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Node::Field(of, name) => format!("(. {} {name})", shown(of)),
        Node::Index(of, indices) => format!("([] {} {})", shown(of), list(indices)),
        Node::Slice(of, parts) => {
            let parts = parts.iter().map(|part| part.as_deref().map_or("_".to_owned(), shown));
            format!("([:] {} {})", shown(of), parts.collect::<Vec<_>>().join(" "))
        }
        Node::Star(of) => format!("(* {})", shown(of)),
        Node::Address(of) => format!("(& {})", shown(of)),
        Node::Unary(mark, of) => format!("({mark} {})", shown(of)),
        Node::Binary(mark, left, right) => format!("({mark} {} {})", shown(left), shown(right)),
        Node::Call(of, arguments) => format!("(call {} {})", shown(of), list(arguments)),
        Node::Assert(of, to) => format!("(as {} {})", shown(of), shown(to)),
        Node::Composite(of, elements) => {
            let element = |(key, value): &(Option<Expr>, Expr)| match key {
                Some(key) => format!("{}:{}", shown(key), shown(value)),
                None => shown(value),
            };
            let elements: Vec<_> = elements.iter().map(element).collect();
            format!("(new {} {})", shown(of), elements.join(" "))
        }
        Node::Type(Type::Slice(of)) => format!("(slice {})", shown(of)),
        Node::Type(Type::Array(len, of)) => format!("(array {} {})", shown(len), shown(of)),
        Node::Type(Type::Map(key, value)) => format!("(map {} {})", shown(key), shown(value)),
        Node::Type(Type::Chan(of)) => format!("(chan {})", shown(of)),
        Node::Type(Type::Spelled(text)) => format!("<{text}>"),
    }
}

fn tree(text: &str) -> String {
    shown(&parse(text, &|name| name == "example.com/x/y.Var" || name == "gopkg.in/yaml.v3.Node").unwrap())
}

#[test]
fn binds_as_go_does() {
    for (text, wanted) in [
        ("a + b*c == d && !e || f", "(|| (&& (== (+ a (* b c)) d) (! e)) f)"),
        ("a - b - c", "(- (- a b) c)"),
        ("*p.f[1]", "(* ([] (. p f) 1))"),
        ("&s[1].x", "(& (. ([] s 1) x))"),
        ("-x << 2", "(<< (- x) 2)"),
        ("c.users[\"k1\"].Name", "(. ([] (. c users) \"k1\") Name)"),
        ("*(*main.User)(0xc000)", "(* (call (* (. main User)) 49152))"),
        ("(map[string]int)(0xc0)", "(call (map string int) 192)"),
        ("map[string]*main.T(x)", "(call (map string (* (. main T))) x)"),
        ("[]int(x)", "(call (slice int) x)"),
        ("[4]*T{}", "(new (array 4 (* T)) )"),
        ("x.(*main.T).f", "(. (as x (* (. main T))) f)"),
        ("x.(map[string]int)", "(as x (map string int))"),
        ("s[1:3]", "([:] s 1 3 _)"),
        ("s[:]", "([:] s _ _ _)"),
        ("s[1:]", "([:] s 1 _ _)"),
        ("s[:3]", "([:] s _ 3 _)"),
        ("s[1:2:3]", "([:] s 1 2 3)"),
        ("(*main.Box[int])(p)", "(call (* ([] (. main Box) int)) p)"),
        ("(*main.Pair[string, []int])(p)", "(call (* ([] (. main Pair) string (slice int))) p)"),
        ("m[main.P{1, 2}]", "([] m (new (. main P) 1 2))"),
        ("m[main.P{X: 1, Y: -2}]", "([] m (new (. main P) X:1 Y:(- 2)))"),
        ("m[[2]int{1, 2}]", "([] m (new (array 2 int) 1 2))"),
        ("len(s) > 0", "(> (call len s) 0)"),
        ("example.com/x/y.Var.Field", "(. example.com/x/y.Var Field)"),
        ("*(*gopkg.in/yaml.v3.Node)(p)", "(* (call (* gopkg.in/yaml.v3.Node) p))"),
        ("a.b/c.d", "(/ (. a b) (. c d))"),
        ("x.(interface{ M() })", "(as x <interface{ M() }>)"),
    ] {
        assert_eq!(tree(text), wanted, "{text}");
    }
}

#[test]
fn tells_what_is_wrong_and_where() {
    for (text, kind, at) in [
        ("", "syntax", 0),
        ("a +", "syntax", 3),
        ("a b", "syntax", 2),
        ("a[", "syntax", 2),
        ("a[]", "syntax", 3),
        ("a[1:2:3:4]", "syntax", 8),
        ("(a", "syntax", 2),
        ("a.1", "syntax", 1),
        ("a..b", "syntax", 2),
        ("x.(", "syntax", 3),
        ("<-c", "unsupported", 0),
        ("a = 1", "syntax", 2),
        ("a := 1", "syntax", 2),
        ("f(1,,2)", "syntax", 4),
        ("map[string", "syntax", 10),
        ("func(", "syntax", 5),
    ] {
        let error = parse(text, &|_| false).unwrap_err();
        assert_eq!((error.kind.as_str(), error.position), (kind, Some(at)), "{text}: {}", error.message);
    }
}

#[test]
fn names_the_bracket_that_is_missing() {
    let said = |text: &str| parse(text, &|_| false).unwrap_err().message;
    assert_eq!(said("s.users[\"1\""), "the expression ends where ] should be");
    assert_eq!(said(" "), "the expression is empty");
}

#[test]
fn has_an_end_to_its_patience() {
    let of_kind = |text: &str| parse(text, &|_| false).unwrap_err().kind;
    for open in ["(", "[", "-", "*", "!", "a[", "a.(", "f(", "map[", "[]", "x{", "struct{", "&"] {
        let error = of_kind(&open.repeat(5000));
        assert!(error == "limit" || error == "syntax", "{open}: {error}");
    }
    assert_eq!(of_kind(&format!("a{}", ".b".repeat(20_000))), "limit");
    assert_eq!(of_kind(&format!("a{}", "+a".repeat(20_000))), "limit");
    assert_eq!(of_kind(&"a".repeat(1 << 20)), "limit");
    // Each of a thousand parts may be one level of the tree.
    let nested = format!("{}a{}", "(".repeat(40), ".b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b)".repeat(40));
    assert!(parse(&nested, &|_| false).is_ok());
}
