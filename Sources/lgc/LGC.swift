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
      VerifyCommand.self, SampleCommand.self, LowerCommand.self, MeasureStepCommand.self,
      MeasureInferenceCommand.self,
    ])
}
