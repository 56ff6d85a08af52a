import { useState } from "react";
import { Button } from "react-aria-components";
import { announce } from "../lib/announce";
import { THEMES, applyTheme, storedTheme } from "../lib/theme";
import { Icon } from "./Icon";

const WORDS = { auto: "as the system", light: "light", dark: "dark" } as const;
const ICONS = { auto: "auto", light: "sun", dark: "moon" } as const;

/** Goes round: as the system, light, dark. */
export function ThemeToggle() {
  const [theme, setTheme] = useState(storedTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
  return (
    <Button
      className="button quiet icon-only"
      aria-label={`Theme: ${WORDS[theme]}. Change to ${WORDS[next]}`}
      onPress={() => {
        applyTheme(next);
        setTheme(next);
        announce(`Theme: ${WORDS[next]}.`);
      }}
    >
      <Icon name={ICONS[theme]} />
    </Button>
  );
}
