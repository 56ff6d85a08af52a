/** Grey lines where text will be; screen readers hear what is loading. */
export function Skeleton({ what, lines = 6 }: { what: string; lines?: number }) {
  return (
    <div className="skeleton">
      <span className="sr-only" role="status">
        Loading {what}
      </span>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} className="bone" aria-hidden="true" />
      ))}
    </div>
  );
}
