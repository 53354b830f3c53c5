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

  /// Of the commands that print a result of their own too.
  enum Format: String, CaseIterable, ExpressibleByArgument { case text, json }

  /// With those for diagnostics alone.
  enum Output: String, CaseIterable, ExpressibleByArgument { case text, json, sarif, github }

  @Argument(help: ArgumentHelp("Descriptions; - is standard input.", valueName: "model.yaml"))
  var files: [String]

  @Option(
    help: ArgumentHelp(
      "How to print the result; sarif and github print diagnostics only, for code scanning and for "
        + "annotations of a change."))
  var format = Output.text

  @Option(help: "Whether to colour the output.")
  var color = ColorChoice.auto

  func run() throws {
    let checks = files.map { Check($0) }
    switch format {
    case .json:
      let values = checks.map(\.json)
      let value = values.count == 1 ? values[0] : .array(values)
      Console.write(value.text + "\n", to: STDOUT_FILENO)
    case .sarif:
      let value = SARIFRenderer.value(checks.flatMap(\.diagnostics), version: LGC.version) { code in
        Explanation.all.first { $0.code == code }?.meaning
      }
      Console.write(value.text + "\n", to: STDOUT_FILENO)
    case .github:
      Console.write(
        GitHubRenderer.render(checks.flatMap(\.diagnostics)), to: STDOUT_FILENO)
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
