import ArgumentParser
import Diagnostics
import Glibc

@main struct LGC: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "lgc",
    abstract: "Compiles a YAML description of a network into a trained model with a proved "
      + "Lipschitz bound.",
    version: version,
    subcommands: [
      CheckCommand.self, TrainCommand.self, BoundCommand.self, EvalCommand.self,
      VerifyCommand.self, ReportCommand.self, SampleCommand.self, GraphCommand.self,
      ExplainCommand.self, InitCommand.self, SchemaCommand.self, LowerCommand.self,
      MeasureStepCommand.self, MeasureInferenceCommand.self,
    ])

  static func main() {
    // The parser knows misspelled options, and of a misspelled command only that it is one word too
    // many.
    let commands = configuration.subcommands.compactMap { $0.configuration.commandName }
    if let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), word != "help",
      !commands.contains(word)
    {
      let meant = Suggestion.closest(to: word, among: commands)
      Console.write(
        "Error: Unknown command '\(word)'.\(meant.map { " Did you mean '\($0)'?" } ?? "")\n"
          + "  See 'lgc --help' for more information.\n", to: STDERR_FILENO)
      Glibc.exit(EX_USAGE)
    }
    main(nil)
  }
}
