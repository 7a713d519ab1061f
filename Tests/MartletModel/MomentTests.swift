import Testing

@testable import MartletModel

@Suite struct MomentTests {
    @Test(
        "Times of RFC 3339 are read, its own examples among them",
        arguments: [
            ("1970-01-01T00:00:00Z", Int64(0)), ("1985-04-12T23:20:50.52Z", 482_196_050_520_000),
            ("1996-12-19T16:39:57-08:00", 851_042_397_000_000), ("1990-12-31T23:59:60Z", 662_688_000_000_000),
            ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130_000), ("2024-02-29T00:00:00.1234567z", 1_709_164_800_123_456),
            ("2026-11-22t18:04:09.000123+05:30", 1_795_350_849_000_123), ("1969-12-31T23:59:59.999999Z", -1),
        ])
    func read(text: String, microseconds: Int64) {
        #expect(moment(text.utf8) == microseconds)
    }

    @Test(
        "Anything else is none",
        arguments: [
            "", "2026-11-22", "2026-11-22T18:04:09", "2026-11-22 18:04:09Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00Zx", "x026-01-01T00:00:00Z", "2026/01-01T00:00:00Z", "2026-01/01T00:00:00Z",
            "2026-01-01T00.00:00Z", "2026-01-01T00:00.00Z", "2026-1-1T0:0:0Z",
        ])
    func refused(text: String) {
        #expect(moment(text.utf8) == nil)
    }

    @Test("What is written is read, over leap years, centuries and the years before 1970")
    func roundTrip() {
        for day in stride(from: Int64(-141_427), to: 2_932_896, by: 331) {
            let time = day * 86_400_000_000 + 45_296_000_789 + day % 1000
            guard (0...9999).contains(civil(day).year), civil(day).year >= 1600 else { continue }
            #expect(moment(timestamp(time).utf8) == time)
        }
    }

    @Test("A key is 1 to 255 printable ASCII characters")
    func keys() {
        for good in ["a", " ", "~", "8e03978e-40d5-43e8-bc93-6894a57f9324", String(repeating: "k", count: 255)] {
            #expect(Idempotency.isKey(good))
        }
        for bad in ["", "a\tb", "é", "\u{7F}", String(repeating: "k", count: 256)] { #expect(!Idempotency.isKey(bad)) }
    }
}
