"""The proofs of `bourse audit verify`."""
