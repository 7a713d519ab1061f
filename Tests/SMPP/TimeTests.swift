import SMPP
import Testing

@Suite struct TimeTests {
    private func absolute(_ text: String) -> AbsoluteTime? { AbsoluteTime(Array(text.utf8)) }

    @Test("Absolute times are read and written with their quarters of an hour")
    func absolute() throws {
        // 2026-11-22 18:05:00 UTC.
        let moment: Int64 = 1_795_370_700
        #expect(absolute("261122180500000+") == AbsoluteTime(seconds: moment))
        #expect(absolute("261122210507412-")?.seconds == moment + 7 + 6 * 3600)
        #expect(absolute("261122210500312+") == AbsoluteTime(seconds: moment, tenths: 3, quarterHours: 12))
        #expect(AbsoluteTime(seconds: moment, tenths: 3, quarterHours: 12).text?.text == "261122210500312+")
        #expect(AbsoluteTime(seconds: moment, quarterHours: -20).text?.text == "261122130500020-")
        #expect(absolute("000101000000000+")?.seconds == 946_684_800)
        #expect(absolute("240229235959948+")?.text?.text == "240229235959948+")
        #expect(AbsoluteTime(seconds: 0).text == nil && AbsoluteTime(seconds: 4_102_444_800).text == nil)
        #expect(AbsoluteTime(seconds: 0, tenths: 77, quarterHours: 99) == AbsoluteTime(seconds: 0, tenths: 9, quarterHours: 48))
    }

    @Test(
        "Text that names no moment is no absolute time",
        arguments: [
            "", "261122180500000", "2611221805000000", "261122180500000R", "261322180500000+", "260022180500000+", "260230180500000+",
            "250229180500000+", "261100180500000+", "261122240500000+", "261122186000000+", "261122180560000+", "261122180500049+",
            "2611221805000x0+", "26112218050000 +", "261131000000000+",
        ])
    func notAbsolute(text: String) {
        #expect(absolute(text) == nil)
    }

    @Test("Ten thousand random moments read back as they were written")
    func roundTrips() throws {
        var random = Seeded(7)
        for _ in 0..<10_000 {
            let one = AbsoluteTime(
                seconds: .random(in: 946_771_200...4_102_272_000, using: &random), tenths: .random(in: 0...9, using: &random),
                quarterHours: .random(in: -48...48, using: &random))
            let text = try #require(one.text).text
            #expect(absolute(text) == one, "\(text)")
            for form in ReceiptDate.allCases {
                let read = ReceiptDate.seconds(Array(form.text(one.seconds, zoneMinutes: 180).utf8), zoneMinutes: 180)
                #expect(read == (form == .minutes ? one.seconds - one.seconds % 60 : one.seconds))
            }
        }
    }

    @Test("A time of a PDU is relative or absolute, and means a moment")
    func either() {
        #expect(PDUTime(Array("000000010000000R".utf8)) == .relative(3600))
        #expect(PDUTime(Array("261122180500000+".utf8)) == .absolute(AbsoluteTime(seconds: 1_795_370_700)))
        #expect(PDUTime(Array("soon".utf8)) == nil && PDUTime([UInt8]()) == nil)
        #expect(PDUTime.relative(60).seconds(from: 1000) == 1060)
        #expect(PDUTime.absolute(AbsoluteTime(seconds: 5)).seconds(from: 1000) == 5)
        #expect(PDUTime.relative(60).text?.text == "000000000100000R")
        #expect(PDUTime.absolute(AbsoluteTime(seconds: 1_795_370_700)).text?.text == "261122180500000+")
    }

    @Test("Dates of receipts come in three lengths; others are none")
    func receiptDates() {
        #expect(ReceiptDate.minutes.text(1_795_370_700) == "2611221805")
        #expect(ReceiptDate.seconds.text(1_795_370_707, zoneMinutes: 60) == "261122190507")
        #expect(ReceiptDate.fullYear.text(1_795_370_707) == "20261122180507")
        #expect(ReceiptDate.minutes.text(0) == "0000000000" && ReceiptDate.seconds.text(.min) == "000000000000")
        #expect(ReceiptDate.fullYear.text(.max).count == 14 && ReceiptDate.fullYear.text(-1) == "19691231235959")
        #expect(ReceiptDate.fullYear.text(-951_868_800) == "19391103000000")
        for text in ["", "26112218", "2611221860", "261122180x", "20261322180507"] {
            #expect(ReceiptDate.seconds(Array(text.utf8)) == nil)
        }
    }
}
