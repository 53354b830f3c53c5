import Testing

@testable import Formats

@Suite struct JSONReaderTests {
  @Test func readsEveryKindOfValue() throws {
    let text = #" {"a":[1,-2.5e3,true,false,null],"b":{"c":"x\n\u00e9\ud83d\ude00"}} "#
    let json = try JSON(Array(text.utf8))
    #expect(json["a"]?.array?[0].integer == 1)
    #expect(json["a"]?.array?[1].double == -2500)
    #expect(json["a"]?.array?[2].bool == true)
    #expect(json["a"]?.array?[4] == .null)
    #expect(json["b"]?["c"]?.string == "x\né😀")
    #expect(json.members?.map(\.name) == ["a", "b"])
  }

  @Test func keepsWholeNumbersOf64Bits() throws {
    #expect(try JSON(Array("9223372036854775807".utf8)).integer == Int.max)
    #expect(try JSON(Array("9223372036854775808".utf8)).integer == nil)
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "+1", "1e", "nul", "\"\\x\"",
    "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\t\"", "\"a", "1 2", "[1 2]",
    "{\"a\" 1}",
    "{\"a\":1,\"a\":2}", "NaN", "'a'", "// c\n1", "\"\\u12g4\"", "\0", "1\0",
  ])
  func refusesWhatIsNotJSON(_ text: String) {
    #expect(throws: JSONError.self) { try JSON(Array(text.utf8)) }
  }

  @Test func refusesInvalidUTF8AndDeepNesting() {
    #expect(throws: JSONError.self) { try JSON([0x22, 0xFF, 0x22]) }
    let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    #expect(throws: JSONError.self) { try JSON(deep) }
  }
}
