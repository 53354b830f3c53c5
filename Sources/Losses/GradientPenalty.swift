import Model
import Tensors

extension AdversarialStep {
  /// E v_f − E v_r
  var negativeGap: Value { graph.subtract(mean(fakeScores), mean(realScores)) }

  /// x̂ = ε·x_r + (1 − ε)·x_f, written as x_f + ε·(x_r − x_f); ε is one number a sample.
  var interpolations: Value {
    let shape = graph.shape(fake)
    let weights = graph.broadcast(leading: coefficients, to: shape)
    return graph.add(fake, graph.multiply(weights, graph.subtract(real, fake)))
  }

  /// ‖∇D(x)‖₂² of each sample, [batch]. A sample's score depends on no other sample, so the
  /// gradient of the sum of scores holds every sample's own.
  func squaredGradientNorms(at x: Value) -> Value {
    let gradient = graph.gradient(of: graph.sum(critic(x)), with: [x])[0]
    return graph.sum(graph.square(gradient), Array(1..<graph.shape(x).count))
  }
}
