import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { queryFieldsQuery } from "../../api/search";
import type { QueryField } from "../../api/types";
import { InlineFailure } from "../Failure";
import { Scroll } from "../Scroll";
import { Skeleton } from "../Skeleton";

const SUBJECTS: Record<string, string> = {
  crash: "Of a crash",
  goroutines: "Of its goroutines",
  group: "Of its group",
};

/** What can be asked: the fields, with an example of each that can be pressed. */
export function QueryHelp({ rules = false }: { rules?: boolean }) {
  const query = useQuery(queryFieldsQuery());
  if (query.error) return <InlineFailure error={query.error} />;
  if (!query.data) return <Skeleton what="what can be asked" lines={8} />;
  const fields = query.data.items.filter((field) => !rules || field.in_rules);
  return (
    <>
      {Object.entries(SUBJECTS).map(([subject, title]) => {
        const of = fields.filter((field) => field.subject === subject);
        return of.length === 0 ? null : <Fields key={subject} title={title} fields={of} pressable={!rules} />;
      })}
    </>
  );
}

interface FieldsProps {
  title: string;
  fields: readonly QueryField[];
  pressable: boolean;
}

function Fields({ title, fields, pressable }: FieldsProps) {
  return (
    <>
      <h3>{title}</h3>
      <Scroll label={`${title}, a table that scrolls`}>
        <table className="data query-fields">
          <caption className="sr-only">{title}: what can be asked</caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">What it is</th>
              <th scope="col">Examples</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((field) => (
              <tr key={field.name}>
                <th scope="row">
                  <code>{field.keyed ? `${field.name}.…` : field.name}</code>
                  {field.aliases.length > 0 && (
                    <span className="muted small"> or {field.aliases.join(", ")}</span>
                  )}
                </th>
                <td>{field.help}</td>
                <td>
                  {field.examples.map((example) => (
                    <span key={example} className="query-example">
                      {pressable ? (
                        <Link to="/search" search={{ q: example }}>
                          <code>{example}</code>
                        </Link>
                      ) : (
                        <code>{example}</code>
                      )}{" "}
                    </span>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
