import { useNavigate } from "@tanstack/react-router";
import { CLASSES } from "../lib/classes";
import { GROUP_STATES, type GroupFilter, isFiltered } from "../lib/group-search";
import { STATE_WORDS } from "../lib/words";
import { Choice, Clear, Filters, SearchText } from "./filters";

const SORT_WORDS = { last_seen: "Last seen", first_seen: "First seen", count: "Most crashes" } as const;

/** Filters and order; all of it is in the URL. */
export function GroupFilters({ filter }: { filter: GroupFilter }) {
  const navigate = useNavigate({ from: "/" });
  const set = (change: Partial<GroupFilter>) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const narrowed = isFiltered({ ...filter, q: undefined });
  const classes = Object.entries(CLASSES).map(([value, { label }]) => ({ value, label }));
  return (
    <Filters set={narrowed}>
      <Choice
        label="State"
        value={filter.state}
        any="Any state"
        options={GROUP_STATES.map((value) => ({ value, label: STATE_WORDS[value] }))}
        onChange={(state) => set({ state: state as GroupFilter["state"] })}
      />
      <Choice
        label="Class"
        value={filter.class}
        any="Any class"
        options={classes.toSorted((a, b) => a.label.localeCompare(b.label))}
        onChange={(value) => set({ class: value })}
      />
      <SearchText
        label="Service"
        value={filter.service}
        onChange={(service) => set({ service })}
        placeholder="Service"
        narrow
      />
      <Choice
        label="Order"
        value={filter.sort ?? "last_seen"}
        options={Object.entries(SORT_WORDS).map(([value, label]) => ({ value, label }))}
        onChange={(sort) => set({ sort: sort === "last_seen" ? undefined : (sort as GroupFilter["sort"]) })}
      />
      {narrowed && <Clear onPress={() => set({ state: undefined, class: undefined, service: undefined })} />}
    </Filters>
  );
}
