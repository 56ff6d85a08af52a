import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "screenshots", "src/api/schema.gen.ts"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...ts.configs.strictTypeChecked, ...ts.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ["tsconfig.json", "tsconfig.tools.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    extends: [a11y.flatConfigs.strict],
    languageOptions: { globals: globals.browser },
    rules: {
      ...hooks.configs.recommended.rules,
      // Tables that are shown as cards on phones lose their roles in some browsers.
      "jsx-a11y/no-redundant-roles": [
        "error",
        {
          table: ["table"],
          thead: ["rowgroup"],
          tbody: ["rowgroup"],
          tr: ["row"],
          th: ["columnheader", "rowheader"],
          td: ["cell"],
        },
      ],
      "jsx-a11y/no-interactive-element-to-noninteractive-role": ["error", { tr: ["row"], td: ["cell"] }],
      "jsx-a11y/label-has-associated-control": ["error", { depth: 3 }],
    },
  },
  { files: ["public/*.js"], languageOptions: { globals: globals.browser, sourceType: "script" } },
  { files: ["scripts/*.mjs", "*.config.js"], languageOptions: { globals: globals.node } },
);
