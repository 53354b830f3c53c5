import CJPEG

/// JPEG files (ISO/IEC 10918-1), baseline and progressive, by libjpeg.
public enum JPEG {
  static func isJPEG(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0xFF, 0xD8, 0xFF]) }

  /// The picture in a whole file: grey or RGB. What is missing or corrupt is an error, never
  /// filled in; CMYK is refused; the orientation that a camera noted is not applied. `path` is for
  /// messages.
  public static func decode(
    _ bytes: [UInt8], path: String, limit: Int = Picture.mostPixels
  ) throws(FormatError) -> Picture {
    var message = [CChar](repeating: 0, count: Int(LGC_JPEG_MESSAGE))
    var picture: Picture?
    var failure: FormatError?
    bytes.withUnsafeBufferPointer { bytes in
      var reader: OpaquePointer?
      var size = lgc_jpeg_size()
      guard lgc_jpeg_open(bytes.baseAddress, bytes.count, &reader, &size, &message) == 0 else {
        return
      }
      defer { lgc_jpeg_close(reader) }
      do throws(FormatError) {
        var buffer = try Picture.buffer(
          size.width, size.height, size.channels, limit: limit, path: path)
        if lgc_jpeg_read(reader, &buffer.pixels, &message) == 0 { picture = buffer }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    guard let picture else {
      throw FormatError(path: path, message: "is not a sound JPEG file: \(text(of: message))")
    }
    return picture
  }
}
