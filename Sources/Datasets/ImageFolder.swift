import Diagnostics
import Formats
import Glibc
import Model
import Tensors

/// Pictures in folders, one for each class.
public struct ImageFolder: Dataset {
  public static let kind = "image_folder"
  public static let summary =
    "PNG and JPEG pictures, a folder for each class, as samples [channels, height, width]"

  static let path = Argument<String>(
    "path", "The folder whose folders are the classes; pictures right in it are one class.")
  static let testPath = Argument<String>.optional(
    "test_path", "The same for the test split; its folders have names of `path`'s.")
  static let size = Argument<OneOrMany<Int>>.optional(
    "size", "Height and width that every picture is brought to, one number for both; else all "
      + "pictures must have the same size. Resampled by a triangle filter, wider where a picture "
      + "shrinks (Pillow's BILINEAR).",
    in: ArgumentRange(lower: 1, upper: 16384))
  static let channels = Argument<Int>(
    "channels", "3: red, green, blue. 1: grey, 0.299 R + 0.587 G + 0.114 B.", default: 3,
    in: ArgumentRange(lower: 1, upper: 3))
  public static var arguments: [any ArgumentDeclaration] { [path, testPath, size, channels] }
  public static var examples: [Example] {
    [
      .good("image_folder: {path: pictures}"),
      .good("image_folder: {path: a, test_path: b, size: [32, 48], channels: 1}"),
      .good("image_folder: {path: a, size: 64}"),
      .bad("«image_folder»: {size: 3}", .missingKey),
      .bad("image_folder: {path: a, channels: «2»}", .outOfRange),
      .bad("image_folder: {path: a, size: «[1, 2, 3]»}", .outOfRange),
      .bad("image_folder: {path: a, size: «0»}", .outOfRange),
    ]
  }

  public init(_ arguments: Arguments) throws(ArgumentProblem) {
    guard arguments[Self.channels] != 2 else {
      throw ArgumentProblem(
        "there are pictures of 1 and of 3 channels", argument: Self.channels.name)
    }
    guard let size = arguments[optional: Self.size] else { return }
    guard [1, 2].contains(size.values.count) else {
      throw ArgumentProblem(
        "`size` has \(size.values.count) numbers", argument: Self.size.name,
        help: "write one number, or [height, width]")
    }
  }

  public func load(
    _ arguments: Arguments, directory: String, seed: UInt64
  ) throws(DiagnosticError) -> LoadedData {
    let size = arguments[optional: Self.size].map { ($0.values[0], $0.values.last!) }
    func tree(_ path: String, _ key: String) throws(DiagnosticError) -> PictureTree {
      try PictureTree(resolved(path, in: directory), at: arguments.span(of: key))
    }
    let channels = arguments[Self.channels]
    let tree = try tree(arguments[Self.path], Self.path.name)
    let train = try tree.samples(classes: tree.classes, size: size, channels: channels)
    let testPath = arguments[optional: Self.testPath]
    let test = try testPath.map { (path) throws(DiagnosticError) in
      try PictureTree(resolved(path, in: directory), at: arguments.span(of: Self.testPath.name))
        .samples(classes: tree.classes, size: size, channels: channels)
    }
    return try LoadedData(
      train, test: test, classNames: tree.classes,
      testSpan: arguments.span(of: Self.testPath.name))
  }
}

/// The picture files under a folder and their classes, in the order of the bytes of their names.
struct PictureTree {
  let path: String
  let span: Span
  private var files: [(path: String, name: String)] = []
  /// The names of the classes in order: the folders', or the one of the folder itself.
  private(set) var classes: [String] = []

  /// Files whose names end in .png, .jpg or .jpeg, in folders at any depth; names that begin with a
  /// dot are passed over.
  init(_ path: String, at span: Span) throws(DiagnosticError) {
    self.path = path
    self.span = span
    let (folders, files) = try Self.list(path, at: span)
    if folders.isEmpty {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      classes = [name]
      self.files = files.map { ("\(path)/\($0)", name) }
    } else if let stray = files.first {
      throw DiagnosticError(
        Diagnostic(
          .dataFormat, "`\(path)/\(stray)` lies beside the folders of the classes", at: span,
          help: "every picture lies in the folder of its class"))
    }
    for folder in folders {
      classes.append(folder)
      let before = self.files.count
      try collect("\(path)/\(folder)", folder, depth: 0)
      guard self.files.count > before else {
        throw DiagnosticError(
          Diagnostic(.dataFormat, "`\(path)/\(folder)` holds no PNG or JPEG file", at: span))
      }
    }
    guard !self.files.isEmpty else {
      throw DiagnosticError(
        Diagnostic(.dataFormat, "`\(path)` holds no PNG or JPEG file", at: span))
    }
  }

  private mutating func collect(
    _ folder: String, _ name: String, depth: Int
  ) throws(DiagnosticError) {
    // Links may go round in circles.
    guard depth < 16 else {
      throw DiagnosticError(
        Diagnostic(.dataFile, "`\(folder)` is more than 16 folders deep", at: span))
    }
    let (folders, files) = try Self.list(folder, at: span)
    self.files += files.map { ("\(folder)/\($0)", name) }
    for inner in folders { try collect("\(folder)/\(inner)", name, depth: depth + 1) }
  }

  /// The folders and the pictures' names in a folder, sorted.
  private static func list(
    _ path: String, at span: Span
  ) throws(DiagnosticError) -> (folders: [String], files: [String]) {
    guard let folder = opendir(path) else {
      let reason = String(cString: strerror(errno)).lowercased()
      throw DiagnosticError(
        Diagnostic(.dataFile, "`\(path)` cannot be read: \(reason)", at: span))
    }
    defer { closedir(folder) }
    var folders: [String] = []
    var files: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix(".") { continue }
      var status = stat()
      guard stat("\(path)/\(name)", &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFDIR {
        folders.append(name)
      } else if [".png", ".jpg", ".jpeg"].contains(where: name.lowercased().hasSuffix) {
        files.append(name)
      }
    }
    func sorted(_ names: [String]) -> [String] {
      names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
    return (sorted(folders), sorted(files))
  }

  /// - Parameter classes: the names in the order of their numbers; a folder of another name is an
  ///   error.
  func samples(
    classes: [String], size: (height: Int, width: Int)?, channels: Int
  ) throws(DiagnosticError) -> Samples {
    var numbers = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, Int32($0)) })
    // Two folders without classes have nothing to agree on but that.
    if classes.count == 1, self.classes.count == 1 { numbers[self.classes[0]] = 0 }
    if let unknown = self.classes.first(where: { numbers[$0] == nil }) {
      throw DiagnosticError(
        Diagnostic(
          .dataLabels, "`\(path)/\(unknown)` is the folder of a class without training pictures",
          at: span, help: didYouMean(unknown, among: classes)))
    }
    var extents = size
    var first: String?
    var bytes: [UInt8] = []
    for file in files {
      let content = try fileBytes(file.path, at: span)
      var picture = try reading(at: span) { () throws(FormatError) in
        try Picture.decode(content, path: file.path)
      }
      if let size {
        picture = picture.resized(height: size.height, width: size.width)
      } else if let extents, extents != (picture.height, picture.width) {
        throw DiagnosticError(
          Diagnostic(
            .dataShape,
            "`\(file.path)` is \(picture.width) × \(picture.height) pixels, `\(first!)` is "
              + "\(extents.width) × \(extents.height)",
            at: span, help: "write `size: [height, width]`: every picture is brought to it"))
      }
      if bytes.isEmpty {
        first = file.path
        extents = (picture.height, picture.width)
        let total = files.count * channels * picture.height * picture.width
        try requireMemory(total, of: path, at: span)
        bytes.reserveCapacity(total)
      }
      picture.append(channels: channels, to: &bytes)
    }
    return Samples(
      shape: [channels, extents!.height, extents!.width], count: files.count,
      storage: .bytes(bytes), labels: files.map { numbers[$0.name]! }, classCount: classes.count)
  }
}
