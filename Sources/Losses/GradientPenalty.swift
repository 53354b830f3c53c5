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

  /// ‖∇D(x)‖₂² of each sample, [batch].
  func squaredGradientNorms(at x: Value) -> Value {
    graph.squaredGradientNorms(of: critic(x), in: x)
  }
}
