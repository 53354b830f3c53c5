import Diagnostics
import Tensors
import YAML

// `data.augment`: a list, the kind is the key.

extension Resolver {
  /// - Parameter input: the shape of the samples, as the network says it; nil if that is wrong.
  func decodeAugmentations(_ node: Node, input: Shape?) -> [AugmentationUnit]? {
    guard let nodes = node.sequence else {
      diagnostics.append(
        .expected(
          "a list of augmentations", found: node, help: "write `augment: [flip, {crop: 4}]`"))
      return nil
    }
    return nodes.compactMap { decodeAugmentation($0, input: input) }
  }

  private func decodeAugmentation(_ node: Node, input: Shape?) -> AugmentationUnit? {
    var word = node.string
    var span = node.span
    var body: Node?
    if let entries = node.mapping, entries.count == 1 {
      word = entries[0].key
      span = entries[0].keySpan
      body = entries[0].value
    }
    guard let word else {
      diagnostics.append(.expected("an augmentation: its kind, or `kind: {…}`", found: node))
      return nil
    }
    guard
      let type = kind(
        word, at: span, of: catalogs.augmentations, { $0.kind },
        family: "augmentation"),
      let arguments = decode(unit: type, node: body, named: span, into: &diagnostics),
      let augmentation = instantiate(
        arguments, into: &diagnostics,
        { (arguments) throws(ArgumentProblem) -> any Augmentation in try type.init(arguments) })
    else { return nil }
    if let input, let refusal = augmentation.refusal(of: input) {
      diagnostics.append(Diagnostic(.dataShape, refusal, at: span))
      return nil
    }
    return AugmentationUnit(augmentation: augmentation, kind: word, arguments: arguments)
  }
}
