// Sets the chosen theme before anything is painted; src/lib/theme.ts keeps it.
try {
  const theme = localStorage.getItem("panicle.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's theme holds.
}
