import ArgumentParser
import Diagnostics
import Formats
import Glibc
import Training

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes a run's report.html again.",
    discussion: """
      One page with the run's curves, bounds, targets and samples, made from the files of its \
      directory. Training writes it at its end; write it again after lgc eval, whose result it \
      shows too. A run that is still training, was interrupted or failed has a report as well.

      Exit codes: 0 done; 2 the run cannot be read or the file cannot be written.
      """)

  @Argument(
    help: ArgumentHelp("A run directory (default: the newest complete run).", valueName: "run"))
  var directory: String?

  @Option(help: "Whether to colour messages.")
  var color = ColorChoice.auto

  func run() throws {
    try Failure.reported(color: color) {
      guard let run = directory.map({ RunDirectory(path: $0) }) ?? RunDirectory.newest() else {
        throw DiagnosticError(
          Diagnostic(.noRun, "there is no complete run under `runs/`", at: nil))
      }
      do throws(FormatError) {
        try Report.write(run)
      } catch {
        throw DiagnosticError(error)
      }
      Console.write("\(run.report)\n", to: STDOUT_FILENO)
      return 0
    }
  }
}
