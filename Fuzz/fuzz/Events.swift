import Doors
import MartletModel

extension FuzzTarget {
    /// What an event says comes to the same by the door's reading in place and by that of documents: the same values, or the same parameters
    /// amiss. Only the door looks for control characters, and only documents go deeper than 16 levels.
    static let event = FuzzTarget(name: "event") { bytes in
        var read: EventParameters?
        var fault: Doors.JSONFault?
        do throws(Doors.JSONFault) {
            read = try JSONReader.read(bytes, depthMax: 16) { reader throws(Doors.JSONFault) in
                try EventParameters(&reader, of: definition, cards: .off, faultsMaximum: 10_000)
            }
        } catch {
            fault = error
        }
        if let fault { claim((0...bytes.count).contains(fault.offset), "a fault outside of the body") }
        guard let document = try? JSONValue(reading: Array(bytes), maximumBytes: bytes.count) else { return }
        guard let read else {
            claim(fault?.reason == .tooDeep || fault?.isMalformed == false, "a document that is no body: \(fault?.description ?? "")")
            return
        }
        let (values, faults) = definition.values(document)
        let amiss = Set(read.faults.filter { $0.wrong != .controlCharacter }.map { EventParameter.isName($0.name) ? $0.name : "?" })
        claim(amiss == Set(faults.map { String($0.path.dropFirst(11)) }), "other parameters are amiss: \(amiss), \(faults.map(\.path))")
        if read.faults.isEmpty { claim(read.values == values, "other values: \(read.values), \(values)") }
    }

    /// One parameter of each type; half of them may be left out.
    private static let definition = EventDefinition(
        key: "x", number: 1, type: 0, messageClass: .service,
        parameters: [
            EventParameter(name: "t", type: .text, maximumBytes: 7), EventParameter(name: "i", type: .integer),
            EventParameter(name: "d", type: .decimal), EventParameter(name: "m", type: .money),
            EventParameter(name: "day", type: .date, assumed: .date(0)), EventParameter(name: "hour", type: .time, assumed: .time(0)),
            EventParameter(name: "at", type: .instant, assumed: .instant(0, offset: 0)),
            EventParameter(name: "b", type: .boolean, assumed: .boolean(false)),
        ])
}
