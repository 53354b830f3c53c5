import ArgumentParser

@main struct LGC: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "lgc")
}
