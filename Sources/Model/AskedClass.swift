import Tensors

/// The class of each sample of a step, of which samples are asked for and by whose score they are
/// judged; nothing for a generator without classes.
struct Asked {
  private let graph: GraphBuilder
  /// [batch, classes], 1 at the class; nil: there are none.
  private let choice: Value?

  /// Makes the input `labels` [batch] where there are classes.
  init(of generator: Network, batch: Int, _ g: GraphBuilder) {
    graph = g
    choice = generator.classes.map { classes in
      let shape = [batch, classes]
      return g.binary(
        .equal, g.broadcast(leading: g.input("labels", [batch]), to: shape), g.iota(shape, axis: 1))
    }
  }

  /// What the generator reads: the noise [batch, channels, …] and behind it the planes of the class.
  func joined(to noise: Value) -> Value {
    guard let choice else { return noise }
    let planes = graph.shape(choice) + graph.shape(noise).dropFirst(2)
    return graph.concatenate([noise, graph.broadcast(leading: choice, to: planes)], axis: 1)
  }

  /// [batch], of the critic's output [batch, scores]: its only number, or that of the class.
  func scores(of output: Value) -> Value {
    guard let choice else { return graph.reshape(output, to: [graph.shape(output)[0]]) }
    return graph.sum(graph.multiply(output, choice), [1])
  }
}
