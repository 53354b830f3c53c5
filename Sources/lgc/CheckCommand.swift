import ArgumentParser
import Diagnostics
import Glibc

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Checks descriptions and proves what their declared constraints prove.",
    discussion: """
      Prints the layers of each network with their shapes, parameters and bounds, and whether each \
      target is proved, refuted or left to training. It needs no data and no weights.

      Exit codes: 0 all is well; 1 a description has errors or a target is refuted; 2 a file \
      cannot be read.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument { case text, json }

  @Argument(help: ArgumentHelp("Descriptions; - is standard input.", valueName: "model.yaml"))
  var files: [String]

  @Option(help: "How to print the result.")
  var format = Format.text

  @Option(help: "Whether to colour the output.")
  var color = ColorChoice.auto

  func run() throws {
    let checks = files.map { Check($0) }
    switch format {
    case .json:
      let values = checks.map(\.json)
      let value = values.count == 1 ? values[0] : .array(values)
      Console.write(value.text + "\n", to: STDOUT_FILENO)
    case .text:
      let carets = CaretRenderer(usesColor: color.usesColor(on: STDERR_FILENO))
      let table = CheckTable(usesColor: color.usesColor(on: STDOUT_FILENO))
      for check in checks {
        Console.write(
          carets.render(check.diagnostics) + check.summaryLine, to: STDERR_FILENO)
        Console.write(table.render(check), to: STDOUT_FILENO)
      }
    }
    let code = checks.map(\.exitCode).max() ?? 0
    if code != 0 { throw ExitCode(code) }
  }
}
