import Testing

@testable import Guard

@Suite("Sealed files")
struct FileSealTests {
    @Test("A piece opens in its place of its file alone, with the keys of its installation, also after they were opened anew")
    func pieces() throws {
        let scratch = Scratch()
        let master = masterKey()
        let store = try KeyStore(directory: scratch.file("keys"), master: master, access: .owner(create: true))
        let (first, second) = (store.fileSeal(of: 1), store.fileSeal(of: 2))
        var sealer = Sealer()
        let plain = [UInt8](repeating: 7, count: FileSeal.pieceBytes)
        let sealed = try first.seal(plain, number: 3, &sealer)
        #expect(sealed.count == FileSeal.sealedBytes)
        #expect(try first.open(sealed, number: 3) == plain)
        let reader = try KeyStore(directory: scratch.file("keys"), master: master, access: .reader)
        #expect(try reader.fileSeal(of: 1).open(sealed, number: 3) == plain)
        #expect(throws: SealFault.notAuthentic(keyID: 0)) { try first.open(sealed, number: 4) }
        #expect(throws: SealFault.notAuthentic(keyID: 0)) { try second.open(sealed, number: 3) }
        #expect(throws: SealFault.notAuthentic(keyID: 0)) { try first.open(Array(sealed.dropLast()), number: 3) }
        #expect(throws: SealFault.tooShort(bytes: 5)) { try first.open(Array(sealed.prefix(5)), number: 3) }
        let other = try KeyStore(directory: scratch.file("other"), master: master, access: .owner(create: true))
        #expect(throws: SealFault.notAuthentic(keyID: 0)) { try other.fileSeal(of: 1).open(sealed, number: 3) }
        #expect(try first.open(try first.seal([], number: 0, &sealer), number: 0).isEmpty)
    }
}
