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
        <table role="table" className="data cards query-fields">
          <caption className="sr-only">{title}: what can be asked</caption>
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">
                Field
              </th>
              <th role="columnheader" scope="col">
                What it is
              </th>
              <th role="columnheader" scope="col">
                Examples
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {fields.map((field) => (
              <tr role="row" key={field.name}>
                <th role="rowheader" scope="row">
                  <code>{field.keyed ? `${field.name}.…` : field.name}</code>
                  {field.aliases.length > 0 && (
                    <span className="muted small"> or {field.aliases.join(", ")}</span>
                  )}
                </th>
                <td role="cell">{field.help}</td>
                <td role="cell">
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
