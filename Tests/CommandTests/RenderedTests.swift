import Diagnostics
import Foundation
import Testing

@testable import lgc

/// What people read, word for word: `Fixtures/rendered/NAME.txt` is what `lgc check` says of
/// `Fixtures/malformed/NAME.yaml`. Run with UPDATE_RENDERED=1 to write the files anew, and read the
/// difference before you keep it.
@Suite struct RenderedTests {
  static let folder = MalformedTests.folder.deletingLastPathComponent()
    .appendingPathComponent("rendered")

  @Test(arguments: [
    "tab_indentation", "duplicate_key_flow", "unknown_layer", "misspelled_layer_key",
    "no_for_a_boolean", "bad_fraction", "alias_bomb", "invalid_utf8", "several_errors",
    "residual_changes_shape", "dense_on_an_image", "refuted_target", "unclosed_bracket",
    "newer_language", "deep_nesting",
    "constraint_on_dot_product_attention", "activation_passed_by",
  ])
  func theMessageReadsAsItDid(_ name: String) throws {
    try compare(name, in: MalformedTests.folder)
  }

  /// What is accepted, with a note where people go wrong: `Fixtures/noted`.
  @Test(arguments: ["gradient_penalty", "rescaled_residual"])
  func theNoteReadsAsItDid(_ name: String) throws {
    try compare(name, in: Self.folder.deletingLastPathComponent().appendingPathComponent("noted"))
  }

  private func compare(_ name: String, in folder: URL) throws {
    let description = folder.appendingPathComponent("\(name).yaml").path
    let diagnostics = Check(description).diagnostics
    #expect(!diagnostics.isEmpty)
    // The folder differs from checkout to checkout.
    let text = CaretRenderer(usesColor: false).render(diagnostics)
      .replacing(description, with: "\(name).yaml")
    let golden = Self.folder.appendingPathComponent("\(name).txt")
    if ProcessInfo.processInfo.environment["UPDATE_RENDERED"] != nil {
      try text.write(to: golden, atomically: true, encoding: .utf8)
    }
    #expect(text == (try String(contentsOf: golden, encoding: .utf8)))
  }
}
