import ArgumentParser
import Diagnostics
import Glibc

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Prints the JSON Schema of descriptions, for editors.",
    discussion: """
      Draft-07, made from the same declarations that lgc check uses. An editor with a YAML language \
      server completes and marks keys by it when a description begins with

          # yaml-language-server: $schema=lgc.schema.json

      --format markdown prints the reference of the language instead.

      The schema knows keys, types and kinds; shapes, names and bounds only lgc check knows.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument { case json, markdown }

  @Option(help: "json: the schema; markdown: the reference.")
  var format = Format.json

  func run() throws {
    Console.write(
      format == .json ? LanguageTexts.schema : LanguageReference.markdown, to: STDOUT_FILENO)
  }
}
