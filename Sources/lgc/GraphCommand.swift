import ArgumentParser
import Diagnostics
import Glibc
import Lipschitz

struct GraphCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph",
    abstract: "Draws a description's networks, with shapes and bounds.",
    discussion: """
      text: a line a layer. dot: for Graphviz. mermaid: for Markdown. svg: a picture; what skips \
      layers is drawn round them. The bounds are those that the declared constraints give; needs \
      neither data nor weights. Of several networks, --of chooses one; svg and dot then need it.

      Exit codes: 0 done; 1 the description has errors; 2 it cannot be read.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument { case text, dot, mermaid, svg }

  @OptionGroup var source: ExperimentOptions

  @Option(help: "What to print.")
  var format = Format.text

  @Option(
    name: .customLong("of"), help: ArgumentHelp("Which network, by name.", valueName: "name"))
  var networkName: String?

  func run() throws {
    try Failure.reported(color: source.color) {
      let (experiment, _) = try source.load()
      var networks = analyse(experiment).networks
      if let networkName {
        networks = networks.filter { $0.network.name == networkName }
        if networks.isEmpty {
          throw ValidationError("there is no network '\(networkName)'")
        }
      }
      let graphs = networks.map { analysis in
        let name = analysis.network.name
        return DrawnGraph(
          analysis, title: name == "model" ? experiment.name : "\(experiment.name), \(name)")
      }
      guard graphs.count == 1 || format == .text else {
        throw ValidationError(
          "there are several networks; choose one with --of: "
            + networks.map(\.network.name).joined(separator: ", "))
      }
      let texts = graphs.map { graph in
        switch format {
        case .text: graph.text
        case .dot: graph.dot
        case .mermaid: graph.mermaid
        case .svg: GraphPicture(graph).svg
        }
      }
      Console.write(texts.joined(separator: "\n"), to: STDOUT_FILENO)
      return 0
    }
  }
}
