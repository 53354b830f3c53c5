import Tensors

// Class numbers in a graph: `labels` is [batch], outputs are [batch, columns].

extension GraphBuilder {
  /// 1 at [b, labels_b], 0 elsewhere; a row of zeros where the label is no class.
  public func oneHot(_ labels: Value, shape: Shape) -> Value {
    binary(.equal, iota(shape, axis: 1), broadcast(leading: labels, to: shape))
  }

  /// 1 where a column is the sample's class, 0 elsewhere. One column stands for class 1 of two.
  public func isClass(_ labels: Value, shape: Shape) -> Value {
    if shape[1] > 1 { return oneHot(labels, shape: shape) }
    return binary(.equal, broadcast(leading: labels, to: shape), constant(1, shape))
  }

  /// By how much the right class leads, [batch]: z_y − max_{j≠y} z_j; of a single output f, whose
  /// sign tells two classes apart, s·f with s = 1 for class 1 and −1 for class 0.
  public func lead(of labels: Value, in output: Value) -> Value {
    let shape = shape(output)
    let isRight = isClass(labels, shape: shape)
    if shape[1] == 1 {
      let sign = subtract(multiply(isRight, 2), 1)
      return sum(multiply(sign, output), [1])
    }
    let right = sum(multiply(output, isRight), [1])
    // The right class is taken out of the maximum; the number only has to be below every logit.
    let wrong = select(isRight, constant(-3e38, shape), output)
    return subtract(right, maximum(over: [1], wrong))
  }
}
