import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
    { ignores: ["dist", "node_modules"] },
    ...tseslint.configs.recommended,
    {
        files: ["src/**", "test/**"],
        extends: [...tseslint.configs.strictTypeChecked],
        languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
        rules: {
            // A number in a template is what one means.
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
            "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
        },
    },
    // node's tests are promises that the runner waits for.
    { files: ["test/**"], rules: { "@typescript-eslint/no-floating-promises": "off" } },
    { files: ["src/**"], ...a11y.flatConfigs.recommended },
    { files: ["src/**"], ...hooks.configs.flat["recommended-latest"] },
);
