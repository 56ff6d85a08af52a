// Where and in what a group crashes: versions, builds, hosts, services, with their counts.
import type { BuildCount, FacetCount, GroupDetails } from "../../api/types";
import { count, shortId } from "../../lib/format";
import { shareWords } from "../../lib/group-words";
import { Copyable } from "../Copy";
import { usePages, Pages } from "../Pages";
import { Scroll } from "../Scroll";
import { Time } from "../Time";
import { Unknown } from "../Unknown";

const AT_ONCE = 10;

export function Spread({ group }: { group: GroupDetails }) {
  return (
    <section aria-labelledby="spread">
      <h2 id="spread">Where it crashes</h2>
      <Counts
        title="Versions"
        counts={group.by_version}
        total={group.count}
        why="The executables do not tell."
      />
      <Builds builds={group.by_build} total={group.count} />
      <Counts
        title="Hosts"
        counts={group.by_host}
        total={group.count}
        why="None was named with the crashes."
      />
      {group.by_service.length > 1 && (
        <Counts title="Services" counts={group.by_service} total={group.count} why="None was named." />
      )}
      {group.by_go_version.length > 1 && (
        <Counts title="Go versions" counts={group.by_go_version} total={group.count} why="Unknown." />
      )}
    </section>
  );
}

interface CountsProps {
  title: string;
  counts: readonly FacetCount[];
  total: number;
  why: string;
}

function Counts({ title, counts, total, why }: CountsProps) {
  const pages = usePages(counts, AT_ONCE);
  return (
    <div className="spread">
      <h3>{title}</h3>
      {counts.length === 0 ? (
        <p className="muted">{why}</p>
      ) : (
        <Scroll label={`${title}, a table that scrolls`}>
          <table className="data">
            <caption className="sr-only">{title} with their crashes</caption>
            <thead>
              <tr>
                <th scope="col">{title}</th>
                <CountHeads />
              </tr>
            </thead>
            <tbody>
              {pages.shown.map((item) => (
                <tr key={item.value}>
                  <th scope="row">{item.value === "" ? <Unknown /> : item.value}</th>
                  <CountCells item={item} total={total} />
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <Pages {...pages} what={title.toLowerCase()} />
    </div>
  );
}

function Builds({ builds, total }: { builds: readonly BuildCount[]; total: number }) {
  const pages = usePages(builds, AT_ONCE);
  return (
    <div className="spread">
      <h3>Builds</h3>
      {builds.length === 0 ? (
        <p className="muted">No executable of these crashes has a build ID.</p>
      ) : (
        <Scroll label="Builds, a table that scrolls">
          <table className="data">
            <caption className="sr-only">Builds with their crashes</caption>
            <thead>
              <tr>
                <th scope="col">Build</th>
                <th scope="col">Version and revision</th>
                <CountHeads />
              </tr>
            </thead>
            <tbody>
              {pages.shown.map((build) => (
                <tr key={build.value}>
                  <th scope="row">
                    <Copyable value={build.value} short={shortId(build.value)} what="the build ID" />
                  </th>
                  <td>
                    {build.module_version ?? <Unknown />}
                    {build.vcs_revision != null && (
                      <span className="muted">
                        {" "}
                        at <code title={build.vcs_revision}>{shortId(build.vcs_revision)}</code>
                      </span>
                    )}
                  </td>
                  <CountCells item={build} total={total} />
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <Pages {...pages} what="builds" />
    </div>
  );
}

function CountHeads() {
  return (
    <>
      <th scope="col" className="number">
        Crashes
      </th>
      <th scope="col">Share</th>
      <th scope="col">First</th>
      <th scope="col">Last</th>
    </>
  );
}

function CountCells({ item, total }: { item: FacetCount; total: number }) {
  const share = total === 0 ? 0 : item.count / total;
  return (
    <>
      <td className="number">{count(item.count)}</td>
      <td className="share">
        <span className="share-bar" aria-hidden="true">
          <span style={{ width: `${Math.min(100, share * 100)}%` }} />
        </span>
        {shareWords(share)}
      </td>
      <td>
        <Time at={item.first_seen} />
      </td>
      <td>
        <Time at={item.last_seen} />
      </td>
    </>
  );
}
