/// Pixels of 8 bits, row after row from the top, the channels of a pixel together.
public struct Picture: Sendable, Hashable {
  public var width: Int
  public var height: Int
  /// 1: grey, 3: red, green, blue.
  public var channels: Int
  public var pixels: [UInt8]

  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// The most pixels a file may have: a few kilobytes can claim to be a picture of any size.
  public static let mostPixels = 1 << 27

  /// The picture in a file of either kind, told apart by how it begins; `path` is for messages.
  public static func decode(_ bytes: [UInt8], path: String) throws(FormatError) -> Picture {
    if PNG.isPNG(bytes) { return try PNG.decode(bytes, path: path) }
    if JPEG.isJPEG(bytes) { return try JPEG.decode(bytes, path: path) }
    throw FormatError(path: path, message: "is neither a PNG nor a JPEG file")
  }

  /// The size a header states, as a buffer for its pixels; throws where it is not to be believed.
  static func buffer(
    _ width: UInt32, _ height: UInt32, _ channels: UInt32, limit: Int, path: String
  ) throws(FormatError) -> Picture {
    let (width, height, channels) = (Int(width), Int(height), Int(channels))
    // Both factors are below 2³².
    guard width > 0, height > 0, width * height <= limit else {
      throw FormatError(
        path: path, message: "is \(width) × \(height) pixels; at most \(limit) are read")
    }
    return Picture(
      width: width, height: height, channels: channels,
      pixels: [UInt8](repeating: 0, count: width * height * channels))
  }
}

/// The text that a C function left in a buffer.
func text(of buffer: [CChar]) -> String {
  String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
