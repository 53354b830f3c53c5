import Diagnostics
import Model

/// Images and labels in IDX files, the format of MNIST.
public struct IDXData: Dataset {
  public static let kind = "idx"
  public static let summary =
    "Images and class labels in IDX files (MNIST's format), gzipped or not"

  static let images = Argument<String>("images", "The training images.")
  static let labels = Argument<String>("labels", "The training labels.")
  static let testImages = Argument<String>.optional("test_images", "The test images.")
  static let testLabels = Argument<String>.optional("test_labels", "The test labels.")
  static let classes = Argument<Int>.optional(
    "classes", "The number of classes; without it, the largest label + 1.",
    in: ArgumentRange(lower: 1, upper: Double(mostClasses)))
  public static var arguments: [any ArgumentDeclaration] {
    [images, labels, testImages, testLabels, classes]
  }
  public static var examples: [Example] {
    [
      .good("idx: {images: x.gz, labels: y.gz}"),
      .good("idx: {images: x, labels: y, test_images: u, test_labels: v, classes: 10}"),
      .bad("«idx»: {images: x}", .missingKey),
      .bad("idx: {images: x, labels: y, classes: «0»}", .outOfRange),
      .bad("idx: {images: x, labels: y, test_images: «u»}", .missingKey),
    ]
  }

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    let hasImages = arguments[optional: Self.testImages] != nil
    let hasLabels = arguments[optional: Self.testLabels] != nil
    guard hasImages == hasLabels else {
      throw ArgumentProblem(
        hasImages ? "`test_images` is given without `test_labels`"
          : "`test_labels` is given without `test_images`",
        argument: hasImages ? "test_images" : "test_labels",
        help: "give both, or neither to train without a test split", code: .missingKey)
    }
  }

  public func load(
    _ arguments: Arguments, directory: String, seed: UInt64
  ) throws(DiagnosticError) -> LoadedData {
    func pair(_ images: String, _ labels: String, _ names: (String, String)) -> IDXPair {
      IDXPair(
        images: resolved(images, in: directory), labels: resolved(labels, in: directory),
        imagesSpan: arguments.span(of: names.0), labelsSpan: arguments.span(of: names.1))
    }
    let classes = arguments[optional: Self.classes]
    let train = try pair(arguments[Self.images], arguments[Self.labels], ("images", "labels"))
      .load(classes: classes)
    guard let images = arguments[optional: Self.testImages],
      let labels = arguments[optional: Self.testLabels]
    else { return LoadedData(train: train) }
    let test = try pair(images, labels, ("test_images", "test_labels")).load(classes: classes)
    return try LoadedData(train, test: test, testSpan: arguments.span(of: "test_images"))
  }
}
