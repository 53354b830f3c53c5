import Diagnostics
import Tensors

/// A loss family of one network and labels: one file under `Losses/`.
public protocol SupervisedLoss: CatalogUnit {
  /// Whether labels are class numbers (outputs = logits) or target vectors.
  var labels: LabelKind { get }
  /// Why this output shape cannot be; nil if it can.
  func refusal(output: Shape) -> String?
  /// The loss of each sample, [batch]; the training loss is their mean. `labels` is [batch] class
  /// numbers or [batch, …] targets.
  func lower(output: Value, labels: Value, _ g: GraphBuilder) -> Value
}

public enum LabelKind: String, Sendable { case classes, targets }
