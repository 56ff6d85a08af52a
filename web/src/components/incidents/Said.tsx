// What people wrote into alerts. All of it is text; only addresses of pages are followed.
import { webAddress } from "../../lib/incident-words";
import { Fact, Facts } from "../Facts";

export function Sentences({ sentences }: { sentences: readonly string[] }) {
  return sentences.map((text) => (
    <p key={text} className="alert-text">
      {text}
    </p>
  ));
}

/** Annotations by their names. */
export function Annotations({ annotations }: { annotations: readonly [name: string, value: string][] }) {
  if (annotations.length === 0) return null;
  return (
    <Facts>
      {annotations.map(([name, value]) => {
        const address = webAddress(value);
        return (
          <Fact key={name} name={name}>
            {address === null ? (
              <span className="alert-text">{value}</span>
            ) : (
              <a href={address} rel="noreferrer">
                {value.trim()}
              </a>
            )}
          </Fact>
        );
      })}
    </Facts>
  );
}
