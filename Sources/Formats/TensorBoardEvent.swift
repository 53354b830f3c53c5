/// One record of a TensorBoard event file (`tensorboard/compat/proto/event.proto`, `summary.proto`).
public struct TensorBoardEvent: Sendable {
  public enum Content: Sendable {
    /// The first record of every file.
    case fileVersion
    /// Training starts (again) at this step: what earlier files say of it and of later ones is
    /// no longer shown.
    case start
    case scalars([(tag: String, value: Double)])
    case image(tag: String, PNGImage)
    /// Shown as Markdown.
    case text(tag: String, String)
  }

  /// A picture as the bytes of a PNG file.
  public struct PNGImage: Sendable {
    public let width: Int
    public let height: Int
    /// 1 grey, 3 red, green and blue.
    public let channels: Int
    public let bytes: [UInt8]
    public init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
      self.width = width
      self.height = height
      self.channels = channels
      self.bytes = bytes
    }
  }

  /// Seconds since 1970.
  public let time: Double
  public let step: Int
  public let content: Content

  public init(time: Double, step: Int, _ content: Content) {
    self.time = time
    self.step = step
    self.content = content
  }

  /// The `Event` message.
  var message: [UInt8] {
    var event = ProtocolBuffer()
    event.double(1, time)
    if step != 0 { event.integer(2, step) }
    switch content {
    case .fileVersion: event.string(3, "brain.Event:2")
    case .start: event.message(7) { $0.integer(1, 1) }
    case .scalars(let scalars):
      event.message(5) { summary in
        for (tag, value) in scalars {
          summary.message(1) {
            $0.string(1, tag)
            $0.float(2, Float(value))
          }
        }
      }
    case .image(let tag, let image):
      event.message(5) { summary in
        summary.message(1) { value in
          value.string(1, tag)
          value.message(4) {
            $0.integer(1, image.height)
            $0.integer(2, image.width)
            $0.integer(3, image.channels)
            $0.bytes(4, image.bytes)
          }
        }
      }
    case .text(let tag, let text):
      event.message(5) { summary in
        summary.message(1) { value in
          value.string(1, tag)
          // A scalar tensor of strings; the plug-in's name is what makes it text.
          value.message(8) { tensor in
            tensor.integer(1, 7)
            tensor.message(2) { _ in }
            tensor.string(8, text)
          }
          value.message(9) { metadata in
            metadata.message(1) { $0.string(1, "text") }
            metadata.integer(4, 2)
          }
        }
      }
    }
    return event.bytes
  }

  /// The message framed as a TFRecord: length (64 bits), its masked CRC-32C, the message, its
  /// masked CRC-32C; little-endian.
  var record: [UInt8] {
    let message = message
    var record: [UInt8] = []
    record.append(littleEndian: UInt64(message.count))
    record.append(littleEndian: CRC32C.masked(record))
    record += message
    record.append(littleEndian: CRC32C.masked(message))
    return record
  }
}
