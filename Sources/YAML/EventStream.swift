import CYAML
import Diagnostics

/// One event of libyaml, with byte offsets into the source file.
struct Event {
  enum Kind {
    case scalar(String, isQuoted: Bool)
    case alias(String)
    /// `isFlow`: written in brackets or braces.
    case sequenceStart(isFlow: Bool), mappingStart(isFlow: Bool)
    case sequenceEnd, mappingEnd
    case documentStart
    /// Start and end of the stream, end of a document: nothing to build.
    case other
  }
  var kind: Kind
  /// Scalars: whether the written form begins after properties or ends in trailing blanks is
  /// already dealt with; collections: where the first bracket, key or `-` stands.
  var start: Int
  var end: Int
  var anchor: String?
  var tag: String?
}

/// libyaml's parser over the text of a file from some offset on.
///
/// The parser reads through `bytes` until it is freed, so the stream must not outlive the closure
/// that lends the buffer.
final class EventStream {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let bytes: UnsafeBufferPointer<UInt8>
  private let file: SourceFile
  private let text: TextMap
  private let origin: Int
  /// libyaml's marks count scalars from where its input begins.
  private let firstScalar: Int
  private var isAtEnd = false

  init(file: SourceFile, bytes: UnsafeBufferPointer<UInt8>, text: TextMap, from origin: Int) {
    self.file = file
    self.bytes = bytes
    self.text = text
    self.origin = origin
    firstScalar = text.scalar(at: origin, in: file.bytes)
    parser = .allocate(capacity: 1)
    // It fails only where `malloc` does.
    precondition(yaml_parser_initialize(parser) == 1, "out of memory")
    // With the encoding told, libyaml neither guesses it nor looks for a byte-order mark.
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(
      parser, bytes.baseAddress.map { $0 + origin }, bytes.count - origin)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  /// The next event; nil after the last.
  func next() throws(SyntaxError) -> Event? {
    guard !isAtEnd else { return nil }
    var raw = yaml_event_t()
    guard yaml_parser_parse(parser, &raw) == 1 else {
      isAtEnd = true
      throw syntaxError()
    }
    defer { yaml_event_delete(&raw) }
    var event = Event(kind: .other, start: offset(raw.start_mark), end: offset(raw.end_mark))
    switch raw.type {
    case YAML_SCALAR_EVENT:
      let scalar = raw.data.scalar
      let text = String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      event.kind = .scalar(text, isQuoted: scalar.style != YAML_PLAIN_SCALAR_STYLE)
      event.anchor = string(scalar.anchor)
      event.tag = string(scalar.tag)
      skipProperties(&event)
      // A block scalar's end mark stands after its last line break.
      event.end = endWithoutBlanks(from: event.start, to: event.end)
    case YAML_ALIAS_EVENT:
      event.kind = .alias(string(raw.data.alias.anchor) ?? "")
    case YAML_SEQUENCE_START_EVENT:
      event.kind = .sequenceStart(
        isFlow: raw.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE)
      event.anchor = string(raw.data.sequence_start.anchor)
      event.tag = string(raw.data.sequence_start.tag)
      skipProperties(&event)
    case YAML_MAPPING_START_EVENT:
      event.kind = .mappingStart(
        isFlow: raw.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE)
      event.anchor = string(raw.data.mapping_start.anchor)
      event.tag = string(raw.data.mapping_start.tag)
      skipProperties(&event)
    case YAML_SEQUENCE_END_EVENT: event.kind = .sequenceEnd
    case YAML_MAPPING_END_EVENT: event.kind = .mappingEnd
    case YAML_DOCUMENT_START_EVENT: event.kind = .documentStart
    case YAML_STREAM_END_EVENT: isAtEnd = true
    default: break
    }
    return event
  }

  private func offset(_ mark: yaml_mark_t) -> Int {
    text.offset(ofScalar: firstScalar + mark.index, in: bytes)
  }

  private func string(_ characters: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    characters.map { String(cString: $0) }
  }

  /// Moves the start of a node past `&anchor` and `!tag`: a caret belongs under the value.
  private func skipProperties(_ event: inout Event) {
    guard event.anchor != nil || event.tag != nil else { return }
    var index = event.start
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "&"), UInt8(ascii: "!"):
        while index < bytes.count, !isBlank(bytes[index]) { index += 1 }
      case UInt8(ascii: "#"):
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
      case let byte where isBlank(byte):
        index += 1
      default:
        // An absent value: `key: &anchor` and then the next key.
        if case .scalar("", isQuoted: false) = event.kind { index = event.end }
        event.start = index
        event.end = max(index, event.end)
        return
      }
    }
    event.start = event.end
  }

  private func endWithoutBlanks(from start: Int, to end: Int) -> Int {
    var end = end
    while end > start, isBlank(bytes[end - 1]) { end -= 1 }
    return end
  }

  private func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  private func syntaxError() -> SyntaxError {
    let state = parser.pointee
    let problem = state.problem.map { String(cString: $0) } ?? ""
    if state.error == YAML_READER_ERROR {
      let mark = min(origin + state.problem_offset, bytes.count)
      return SyntaxError(
        file: file, problem: problem, context: nil, mark: mark, contextMark: nil)
    }
    return SyntaxError(
      file: file, problem: problem, context: state.context.map { String(cString: $0) },
      mark: offset(state.problem_mark),
      contextMark: state.context == nil ? nil : offset(state.context_mark))
  }
}
