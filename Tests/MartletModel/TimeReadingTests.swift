import Testing

@testable import MartletModel

@Suite("Moments as RFC 3339 writes them")
struct TimeReadingTests {
    @Test(
        "A moment is read with its fraction and offset",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-22T18:04:09Z", 1_795_370_649_000_000), ("2026-11-22t18:04:09.5z", 1_795_370_649_500_000),
            ("2026-11-22T20:04:09.000123+02:00", 1_795_370_649_000_123), ("2026-11-22T12:34:09-05:30", 1_795_370_649_000_000),
            ("2024-02-29T00:00:00.1234567Z", 1_709_164_800_123_456), ("1969-12-31T23:59:59Z", -1_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
        ])
    func good(text: String, micros: Int64) {
        #expect(moment(text) == micros)
    }

    @Test("What was written by the other function is read back")
    func inverse() {
        for micros: Int64 in [0, 1, -1, 951_782_400_000_000, 4_107_542_399_999_999] { #expect(moment(timestamp(micros)) == micros) }
    }

    @Test(
        "Anything else is no moment",
        arguments: [
            "", "2026-11-22", "2026-11-22T18:04:09", "2026-11-22 18:04:09Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
            "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+2:00", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+00:60",
            "2026-01-01T00:00:00Zx", "x026-01-01T00:00:00Z", "2026-01-01T00:00:00+", "1795370649",
            "2026-01-01T00:00:00.0000000000000000000000000000000000000Z",
        ])
    func bad(text: String) {
        #expect(moment(text) == nil)
    }
}
