import Diagnostics
import Formats
import Model

/// Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): 60 000 training and 10 000 test images of
/// clothing, 1 × 28 × 28 bytes, ten classes.
public struct FashionMNIST: Dataset {
  public static let kind = "fashion_mnist"
  public static let summary =
    "Fashion-MNIST: 60 000 + 10 000 grey images of clothing, 1 × 28 × 28, ten classes"

  static let path = Argument<String>(
    "path", "The folder with the four IDX files, gzipped or plain.",
    default: "/usr/share/datasets/fashion-mnist")
  public static var arguments: [any ArgumentDeclaration] { [path] }
  public static var examples: [Example] {
    [
      .good("fashion_mnist"), .good("fashion_mnist: {path: data/fashion}"),
      .bad("fashion_mnist: {path: «3»}", .wrongType),
    ]
  }

  public static let classNames = [
    "t-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
    "ankle boot",
  ]

  public init(_ arguments: Arguments) throws(ArgumentProblem) {}

  public func load(
    _ arguments: Arguments, directory: String, seed: UInt64
  ) throws(DiagnosticError) -> LoadedData {
    let folder = resolved(arguments[Self.path], in: directory)
    let span = arguments.span(of: Self.path.name)
    let train = try split("train", folder, span)
    let test = try split("t10k", folder, span)
    return LoadedData(train: train, test: test, classNames: Self.classNames)
  }

  private func split(
    _ name: String, _ folder: String, _ span: Span
  ) throws(DiagnosticError) -> Samples {
    let names = ["\(name)-images-idx3-ubyte", "\(name)-labels-idx1-ubyte"]
    var found: [String] = []
    for name in names {
      guard let path = existing("\(folder)/\(name)") else {
        throw DiagnosticError(missing("\(folder)/\(name)", at: span))
      }
      found.append(path)
    }
    return try IDXPair(images: found[0], labels: found[1], imagesSpan: span, labelsSpan: span)
      .load(classes: Self.classNames.count)
  }

  private func missing(_ path: String, at span: Span) -> Diagnostic {
    Diagnostic(
      .dataFile, "neither `\(path).gz` nor `\(path)` exists", at: span,
      help: "apt-get install dataset-fashion-mnist, or name the folder of the files with `path:`")
  }
}
