import CPNG
import Glibc

/// PNG files (ISO/IEC 15948) by libpng.
public enum PNG {
  static func isPNG(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
  }

  /// A whole file. `pixels` are row after row, `channels` bytes each: 1 grey, 2 grey and alpha,
  /// 3 RGB, 4 RGB and alpha.
  public static func encode(width: Int, height: Int, channels: Int, pixels: [UInt8]) -> [UInt8] {
    precondition(
      (1...4).contains(channels) && width > 0 && height > 0
        && pixels.count == width * height * channels,
      "lgc's own bug: \(pixels.count) bytes for \(width) × \(height) × \(channels)")
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    var message = [CChar](repeating: 0, count: Int(LGC_PNG_MESSAGE))
    let status = lgc_png_write(
      UInt32(width), UInt32(height), UInt32(channels), pixels, &bytes, &count, &message)
    // Only memory can be short here.
    precondition(status == 0, "a PNG file cannot be made: \(text(of: message))")
    defer { free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }

  /// The picture in a whole file: grey or RGB of 8 bits. Palettes are looked up, 16 bits are
  /// rounded to 8, transparency is left out (what lies under it is shown), gamma is not applied.
  /// `path` is for messages.
  public static func decode(
    _ bytes: [UInt8], path: String, limit: Int = Picture.mostPixels
  ) throws(FormatError) -> Picture {
    var message = [CChar](repeating: 0, count: Int(LGC_PNG_MESSAGE))
    var picture: Picture?
    var failure: FormatError?
    bytes.withUnsafeBufferPointer { bytes in
      var reader: OpaquePointer?
      var size = lgc_png_size()
      guard lgc_png_open(bytes.baseAddress, bytes.count, &reader, &size, &message) == 0 else {
        return
      }
      defer { lgc_png_close(reader) }
      do throws(FormatError) {
        var buffer = try Picture.buffer(
          size.width, size.height, size.channels, limit: limit, path: path)
        if lgc_png_read(reader, &buffer.pixels, &message) == 0 { picture = buffer }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    guard let picture else {
      throw FormatError(path: path, message: "is not a sound PNG file: \(text(of: message))")
    }
    return picture
  }
}
