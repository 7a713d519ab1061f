import MartletModel
import Testing

@testable import MartletLocal

@Suite("Local copy: batches of changes") struct ChangeBatchTests {
    @Test("A batch is read as it was written; one cut anywhere, or with a byte that no version wrote, names the change")
    func roundTrip() throws {
        let changes: [CustomerChange] = [
            .erased(7), .address(hash: 1 << 40, AddressFact(.optedOut, at: 9)), .preferences(3, Preferences(at: 4)),
        ]
        var batch: [UInt8] = []
        for change in changes { #expect(try ChangeBatch.append(change, to: &batch)) }
        #expect(try ChangeBatch.changes(batch) == changes)
        #expect(try ChangeBatch.changes([]) == [])
        var whole = 0
        for count in 1..<batch.count {
            if let read = try? ChangeBatch.changes(Array(batch.prefix(count))) {
                #expect(read == Array(changes.prefix(read.count)))
                whole += 1
            }
        }
        #expect(whole == changes.count - 1)
        #expect(throws: ChangeBatch.Fault.cutOff(change: 0)) { try ChangeBatch.changes([9, 0, 0, 0, 2]) }
        #expect(throws: ChangeBatch.Fault.change(0, .badValue(field: "change"))) { try ChangeBatch.changes([1, 0, 0, 0, 99]) }
    }

    @Test("What does not fit goes with the next batch, a change larger than a batch alone, and more is refused")
    func bounds() throws {
        let large = CustomerChange.written(
            CustomerImage(
                subject: 1, reference: 2, addresses: [], clear: [UInt8](repeating: 1, count: CustomerLimits.recordBytes),
                sealed: [UInt8](repeating: 2, count: CustomerLimits.recordBytes)))
        var batch: [UInt8] = []
        #expect(try ChangeBatch.append(large, to: &batch))
        #expect(try ChangeBatch.append(.erased(1), to: &batch) == false)
        #expect(try ChangeBatch.changes(batch) == [large])
        #expect(throws: ChangeBatch.Fault.tooLarge(limit: ChangeBatch.bytesMaximum)) { try ChangeBatch.changes(batch + batch) }
        var many: [UInt8] = []
        for subject in 0...UInt32(ChangeBatch.changesMaximum) { #expect(try ChangeBatch.append(.erased(subject), to: &many)) }
        let fault = ChangeBatch.Fault.tooMany(limit: ChangeBatch.changesMaximum)
        #expect(throws: fault) { try ChangeBatch.changes(many) }
        #expect(fault.description.contains("1024") && ChangeBatch.Fault.cutOff(change: 3).description.contains("3"))
    }
}
