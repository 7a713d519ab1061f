import Testing

@testable import MartletDesk

@Suite("Desk: pages, callers") struct PageTests {
    @Test("A page says where to go on only when there is more")
    func pages() {
        let whole = Page([1, 2], limit: 2) { Cursor(number: Int64($0)) }
        #expect(whole.items == [1, 2])
        #expect(whole.next == nil)
        let part = Page([1, 2, 3], limit: 2) { Cursor(number: Int64($0)) }
        #expect(part.items == [1, 2])
        #expect(part.next == Cursor(text: "2"))
    }

    @Test("A cursor of another list and a limit out of range are named")
    func wrong() throws {
        #expect(throws: DeskFault.invalid([FieldFault("cursor", "malformed", "it is not one of this list")])) {
            try Cursor(text: "a").number()
        }
        #expect(throws: DeskFault.self) { try PageWish(limit: 0) }
        #expect(throws: DeskFault.self) { try PageWish(limit: 501) }
        #expect(try PageWish(limit: 500).limit == 500)
    }

    @Test("Personal data asks for the right and for a reason")
    func reveal() {
        let none = Caller(name: "principal:a", rights: [.readHistory])
        #expect(throws: DeskFault.forbidden(.revealPersonal)) { try none.requireReveal() }
        var one = Caller(name: "principal:a", rights: [.revealPersonal], reason: "  ")
        #expect(throws: DeskFault.self) { try one.requireReveal() }
        one.reason = "complaint 17"
        #expect(throws: Never.self) { try one.requireReveal() }
    }
}
