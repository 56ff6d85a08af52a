// What the race detector saw: both accesses with their stacks, and who started the goroutines.
import type { Race, RaceAccess, Report } from "../../api/types";
import { counted } from "../../lib/format";
import { MiniStack } from "../Clusters";
import { Copyable } from "../Copy";
import { Pages, usePages } from "../Pages";

const AT_ONCE = 3;

export function Races({ report }: { report: Report }) {
  const races = report.races ?? [];
  const pages = usePages(races, AT_ONCE);
  if (races.length === 0) return null;
  return (
    <section aria-labelledby="races">
      <h2 id="races">
        {races.length === 1 ? "The race" : "Races"}
        <span className="h-note">
          {races.length === 1 ? "as the race detector saw it" : counted(races.length, "race")}
        </span>
      </h2>
      {pages.shown.map((race) => (
        <RaceSides key={race.text_line} race={race} />
      ))}
      <Pages {...pages} what="races" />
    </section>
  );
}

function RaceSides({ race }: { race: Race }) {
  return (
    <div className="race">
      {race.accesses.map((access, index) => (
        <Side key={index} access={access} race={race} />
      ))}
      {race.truncated && <p className="notice warn">The text ends in the middle of this race.</p>}
    </div>
  );
}

function Side({ access, race }: { access: RaceAccess; race: Race }) {
  const about = race.goroutines.find(({ id }) => id === access.goroutine);
  const kind = `${access.previous ? "Previous " : ""}${access.atomic ? "atomic " : ""}${access.write ? "write" : "read"}`;
  return (
    <div className={access.write ? "race-side writes" : "race-side"}>
      <h3>{kind.charAt(0).toUpperCase() + kind.slice(1)}</h3>
      <p className="muted">
        by{" "}
        {access.main
          ? "the main goroutine"
          : access.goroutine == null
            ? "an unknown goroutine"
            : `goroutine ${access.goroutine} of the detector's count`}
        {about && (about.finished ? ", which had ended" : ", which was running")}, at{" "}
        <Copyable value={access.address} what="the address" />
      </p>
      {access.frames.length === 0 ? (
        <p className="unknown">its stack was lost</p>
      ) : (
        <MiniStack frames={access.frames} />
      )}
      {about && about.created_at.length > 0 && (
        <>
          <p className="muted">It was made at</p>
          <MiniStack frames={about.created_at} />
        </>
      )}
    </div>
  );
}
