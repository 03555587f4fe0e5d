#!/usr/bin/env bash
# Entry point of the GitHub Action: runs `cognito-m2m check` with the inputs of action.yml, which are in the environment.
set -euo pipefail

cd "$INPUT_WORKING_DIRECTORY"

args=(check --format "$INPUT_FORMAT")
add_option() {
  [ -z "$2" ] || args+=("$1" "$2")
}
add_option --config "$INPUT_CONFIG"
add_option --routes "$INPUT_ROUTES"
add_option --openapi "$INPUT_OPENAPI"
add_option --baseline "$INPUT_BASELINE"
if [ "$INPUT_STRICT" = true ]; then
  args+=(--strict)
fi
# The configuration may come from a pull request, so its app does not run.
if [ -n "$INPUT_APP" ]; then
  args+=(--app "$INPUT_APP")
else
  args+=(--no-app)
fi

# Behind `--`, the name of a file is never an option.
args+=(--)
while IFS= read -r template; do
  template="${template%$'\r'}"
  [ -z "${template//[[:space:]]/}" ] || args+=("$template")
done <<<"$INPUT_TEMPLATES"

# CI runs the command of this repository instead.
if [ -n "${COGNITO_M2M_MAIN:-}" ]; then
  command=(node "$COGNITO_M2M_MAIN")
else
  # The parser of Terraform files is an optional peer dependency.
  command=(npx --yes --package "cognito-m2m@$INPUT_VERSION" --package web-tree-sitter
    --package @tree-sitter-grammars/tree-sitter-hcl cognito-m2m)
fi

if [ -n "$INPUT_OUTPUT" ]; then
  "${command[@]}" "${args[@]}" >"$INPUT_OUTPUT"
else
  "${command[@]}" "${args[@]}"
fi
