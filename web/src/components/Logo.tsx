/** One stem, many heads. */
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
      <g className="logo-stem">
        <path d="M16 30V9M16 23c-5-1-7.5-4-8-9M16 23c5-1 7.5-4 8-9M16 16.5c-3-.5-4-3-4.3-6.5M16 16.5c3-.5 4-3 4.3-6.5" />
      </g>
      <g className="logo-heads">
        <circle cx="16" cy="5.5" r="3" />
        <circle cx="7.7" cy="11.5" r="2.7" />
        <circle cx="24.3" cy="11.5" r="2.7" />
        <circle cx="11.3" cy="7.3" r="2.1" />
        <circle cx="20.7" cy="7.3" r="2.1" />
      </g>
    </svg>
  );
}
