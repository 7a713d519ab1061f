import Foundation
import Guard
import MartletModel
import NIOCore
import Testing

@testable import MartletNode

@Suite("Keys of class and day: which the log names, and when they go") struct NamedKeysTests {
    @Test("A key is named as long as a segment that names it is there; a subject's key and none are not noted")
    func naming() {
        var named = NamedKeys()
        // 1 and 17 share a place of what was noted last.
        for (key, segment) in [(1, 1), (1, 1), (17, 1), (1, 1), (2, 1), (1, 2), (1, 2), (3, 3)] as [(UInt32, UInt32)] {
            named.note(key, in: segment)
        }
        named.note(0, in: 3)
        named.note(RecordKeyID(subject: 9).rawValue, in: 3)
        #expect([1, 2, 3, 17].allSatisfy { named.contains($0) } && !named.contains(0) && !named.contains(RecordKeyID(subject: 9).rawValue))
        named.trim(before: 2)
        #expect(named.contains(1) && !named.contains(2) && !named.contains(17) && named.contains(3))
        named.trim(before: 3)
        #expect(!named.contains(1) && named.contains(3))
        // A copy forward names an old key in a new segment.
        named.note(2, in: 4)
        named.trim(before: 4)
        #expect(named.contains(2) && !named.contains(3))
    }

    /// Makes keys of long ago, says which the log names, forgets, and looks at what is left.
    @Test("Keys before their class's day go when the log names none of them, over restarts; today's and yesterday's stay whatever is said")
    func forgetting() throws {
        let rig = try Rig()
        let today = try rig.run { DataKey.day(ofMicroseconds: $0.now().wall) }
        let classes: [UInt8] = [MessageClass.otp.rawValue, MessageClass.service.rawValue]
        try rig.run { try $0.parts.keys.prepare(days: 100...102, classes: classes) }
        let old = try rig.run { node in try classes.map { try node.parts.keys.key(class: $0, day: 100).id } }
        let id = try rig.accepted("named", messageClass: .otp)
        func forget(_ days: [UInt8: Int32]) throws -> Int {
            let node = rig.node
            let promise = rig.loop.makePromise(of: Int.self)
            rig.loop.execute { node.value.forgetKeys(before: days) { promise.completeWith($0.mapError { $0 as any Error }) } }
            return try promise.futureResult.wait()
        }
        #expect(try forget([:]) == 0)
        #expect(try forget([classes[0]: 100]) == 0)
        // As if the log had a record of it.
        try rig.run { $0.namedKeys.note(old[0], in: 0) }
        #expect(try forget([classes[0]: 102]) == 1)
        #expect(try rig.run { $0.parts.keys.key(id: old[0]) != nil && $0.parts.keys.key(id: old[1]) != nil })
        try rig.run { $0.namedKeys.trim(before: 1) }
        #expect(try forget([classes[0]: .max, classes[1]: 101]) == 3)
        #expect(try rig.run { $0.parts.keys.key(id: old[0]) == nil && $0.parts.keys.key(id: old[1]) == nil })
        #expect(try rig.run { $0.parts.keys.keys(before: [classes[1]: 200]).count } == 2)
        let recent = try rig.run { try $0.parts.keys.key(class: classes[0], day: today).id }
        #expect(try rig.run { $0.namedKeys.contains(recent) && $0.parts.keys.key(id: recent) != nil })
        #expect(try rig.story(id) != nil)
        try rig.stop()
        // What the log names is known again from its records.
        let again = try Rig(at: rig.crashImage())
        #expect(try again.run { $0.namedKeys.contains(recent) && !$0.namedKeys.contains(old[1]) })
        try again.stop()
    }
}
