import ArgumentParser

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
}
