/** What is not known is called so, with the reason. */
export function Unknown({ why }: { why?: string }) {
  return (
    <span className="unknown">unknown{why === undefined ? null : <span className="why"> ({why})</span>}</span>
  );
}
