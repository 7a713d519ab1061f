import MartletModel
import Testing

/// traceparent of W3C Trace Context, level 1.
@Suite struct TraceContextTests {
    private static let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test(
        "A valid one reads back as it was written",
        arguments: [
            good, "00-00000000000000010000000000000000-0000000000000001-00", "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff",
            "00-00000000000000000000000000000001-00f067aa0ba902b7-00",
        ])
    func valid(_ text: String) { #expect(TraceContext(text)?.text == text) }

    @Test("One of a later version is read as far as version 00 goes")
    func later() {
        #expect(TraceContext("cc" + Self.good.dropFirst(2))?.text == Self.good)
        #expect(TraceContext("cc" + Self.good.dropFirst(2) + "-what-the-future-will-be-like")?.text == Self.good)
        #expect(TraceContext("cc" + Self.good.dropFirst(2) + ".what") == nil)
        #expect(TraceContext("cc" + Self.good.dropFirst(2) + "-" + String(repeating: "x", count: 300)) == nil)
    }

    @Test(
        "Any other counts as absent",
        arguments: [
            "", "00", good + "-00", good + "-", "ff" + good.dropFirst(2), String(good.dropLast()), good.uppercased(),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
            "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0 ",
            " " + good, "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01",
        ])
    func invalid(_ text: String) { #expect(TraceContext(text) == nil) }
}
