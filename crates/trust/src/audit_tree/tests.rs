use super::{checkpoint::*, entry::canonical, *};
use crate::SystemEntropy;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The leaves and roots of the reference implementation of Certificate Transparency.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// MTH of RFC 9162, section 2.1.1, as it is written there.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            node_hash(&naive(&leaves[..middle]), &naive(&leaves[middle..]))
        }
    }
}

fn some_leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

fn proof(leaves: &[Hash], ranges: Vec<std::ops::Range<u64>>) -> Vec<Hash> {
    let hash = |range: std::ops::Range<u64>| {
        let parts: Vec<Hash> = subtrees(range)
            .into_iter()
            .map(|tree| {
                let from = usize::try_from(tree.index << tree.level).unwrap();
                naive(&leaves[from..from + (1 << tree.level)])
            })
            .collect();
        fold(&parts).unwrap()
    };
    ranges.into_iter().map(hash).collect()
}

#[test]
fn roots_are_those_of_certificate_transparency() {
    assert_eq!(hex::encode(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let mut frontier = Frontier::default();
    assert_eq!(frontier.root(), empty_root());
    for (leaf, root) in LEAVES.iter().zip(ROOTS) {
        frontier.append(leaf_hash(&hex::decode(leaf).unwrap()), |_, _| {});
        assert_eq!(hex::encode(frontier.root()), root, "{}", frontier.size());
    }
}

#[test]
fn proofs_are_those_of_certificate_transparency() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|leaf| leaf_hash(&hex::decode(leaf).unwrap())).collect();
    let hexed = |proof: Vec<Hash>| proof.iter().map(hex::encode).collect::<Vec<_>>();
    assert_eq!(
        hexed(proof(&leaves, inclusion_ranges(5, 8))),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert_eq!(
        hexed(proof(&leaves, consistency_ranges(6, 8))),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
}

#[test]
fn every_proof_of_small_trees_holds_and_no_other_does() {
    let leaves = some_leaves(40);
    for size in 1..=40u64 {
        let root = naive(&leaves[..usize::try_from(size).unwrap()]);
        for index in 0..size {
            let path = proof(&leaves, inclusion_ranges(index, size));
            let leaf = leaves[usize::try_from(index).unwrap()];
            assert_eq!(verify_inclusion(&leaf, index, size, &path, &root), Ok(()));
            let other = (index + 1) % size;
            assert!(size == 1 || verify_inclusion(&leaf, other, size, &path, &root).is_err());
            assert!(verify_inclusion(&empty_root(), index, size, &path, &root).is_err());
            let longer = [path.as_slice(), &[root]].concat();
            assert!(verify_inclusion(&leaf, index, size, &longer, &root).is_err());
            for place in 0..path.len() {
                let mut bad = path.clone();
                bad[place][0] ^= 1;
                assert_eq!(verify_inclusion(&leaf, index, size, &bad, &root), Err(ProofError::Root));
            }
        }
        for first in 1..=size {
            let first_root = naive(&leaves[..usize::try_from(first).unwrap()]);
            let path = proof(&leaves, consistency_ranges(first, size));
            assert_eq!(verify_consistency(first, size, &first_root, &root, &path), Ok(()), "{first} {size}");
            assert!(verify_consistency(first, size, &empty_root(), &root, &path).is_err());
            let longer = [path.as_slice(), &[root]].concat();
            assert!(verify_consistency(first, size, &first_root, &root, &longer).is_err());
            for place in 0..path.len() {
                let mut bad = path.clone();
                bad[place][0] ^= 1;
                assert!(verify_consistency(first, size, &first_root, &root, &bad).is_err());
            }
        }
    }
    assert_eq!(verify_inclusion(&leaves[0], 1, 1, &[], &leaves[0]), Err(ProofError::Shape));
    assert_eq!(verify_consistency(3, 2, &leaves[0], &leaves[0], &[]), Err(ProofError::Shape));
}

proptest! {
    #[test]
    fn a_frontier_is_the_naive_tree_however_it_is_cut(size in 0usize..700, cut in 0usize..700, rest in 0usize..700) {
        let leaves = some_leaves(size + cut + rest);
        let mut whole = Frontier::default();
        let mut complete = Vec::new();
        for leaf in &leaves {
            whole.append(*leaf, |tree, hash| complete.push((tree, hash)));
        }
        prop_assert_eq!(whole.root(), naive(&leaves));
        for (tree, hash) in complete.iter().step_by(7) {
            let from = usize::try_from(tree.index << tree.level).unwrap();
            prop_assert_eq!(*hash, naive(&leaves[from..from + (1 << tree.level)]));
        }
        // As an export has it: what is on the left, leaves, what is on the right.
        let hashes = |range: std::ops::Range<usize>| {
            let trees = subtrees(range.start as u64..range.end as u64);
            trees.into_iter().map(|tree| {
                let from = usize::try_from(tree.index << tree.level).unwrap();
                (tree.level, naive(&leaves[from..from + (1 << tree.level)]))
            }).collect::<Vec<_>>()
        };
        let left = hashes(0..size).into_iter().map(|(_, hash)| hash).collect();
        let mut parts = Frontier::new(size as u64, left).unwrap();
        for leaf in &leaves[size..size + cut] {
            parts.append(*leaf, |_, _| {});
        }
        for (level, hash) in hashes(size + cut..leaves.len()) {
            prop_assert!(parts.append_subtree(level, hash));
        }
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn proofs_of_larger_trees_hold(size in 1u64..3000, index: u64, first: u64) {
        let leaves = some_leaves(usize::try_from(size).unwrap());
        let (index, first) = (index % size, 1 + first % size);
        let root = naive(&leaves);
        let path = proof(&leaves, inclusion_ranges(index, size));
        let leaf = leaves[usize::try_from(index).unwrap()];
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &path, &root), Ok(()));
        let path = proof(&leaves, consistency_ranges(first, size));
        let first_root = naive(&leaves[..usize::try_from(first).unwrap()]);
        prop_assert_eq!(verify_consistency(first, size, &first_root, &root, &path), Ok(()));
    }

    #[test]
    fn any_text_is_read_as_a_note_or_key_without_panic(text in "\\PC{0,80}\n\n— \\PC{0,40}\n") {
        let _ = Checkpoint::read(&text);
        let _ = verify_note(&text, &[]);
        let _ = text.parse::<PublicKey>();
    }
}

/// The example of the package that the format comes from.
#[test]
fn a_note_of_the_reference_implementation_is_verified() {
    let key: PublicKey =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let note = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n\n\
                — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    assert_eq!(verify_note(note, std::slice::from_ref(&key)), Ok(()));
    assert_eq!(verify_note(&note.replace("answer", "Answer"), &[key]), Err(NoteError::Forged));
}

#[test]
fn a_checkpoint_counts_for_its_own_trail_and_key_only() {
    let key = || CheckpointKey::from_seed(&CheckpointKey::generate(&SystemEntropy::new())).unwrap();
    let (ours, next, foreign) = (key(), key(), key());
    let origin = origin("misy-1", "andina");
    let checkpoint = Checkpoint { origin: origin.clone(), size: 3, root: [7; 32] };
    let note = checkpoint.sign(&[&ours, &next]);
    assert_eq!(Checkpoint::verify(&note, &origin, &[ours.public(&origin)]), Ok(checkpoint.clone()));
    assert_eq!(Checkpoint::verify(&note, &origin, &[next.public(&origin)]), Ok(checkpoint));
    assert_eq!(Checkpoint::verify(&note, &origin, &[foreign.public(&origin)]), Err(NoteError::UnknownKey));
    let other = super::checkpoint::origin("misy-1", "verde");
    assert_eq!(Checkpoint::verify(&note, &other, &[ours.public(&other)]), Err(NoteError::OtherOrigin));
    let renamed = note.replace(&origin, &other);
    assert_eq!(Checkpoint::verify(&renamed, &other, &[ours.public(&other)]), Err(NoteError::UnknownKey));
    let larger = note.replace("\n3\n", "\n4\n");
    assert_eq!(Checkpoint::verify(&larger, &origin, &[ours.public(&origin)]), Err(NoteError::Forged));
    let text = ours.public(&origin).to_string();
    assert_eq!(text.parse(), Ok(ours.public(&origin)));
    assert!(text.replace('+', "+0").parse::<PublicKey>().is_err());
}

#[test]
fn an_entry_has_one_form() {
    let entry = json!({ "tenantId": "a", "at": "x\n\u{1}\"\\/é\u{7f}", "status": 200, "v": -7 });
    let Value::Object(entry) = entry else { unreachable!() };
    let expected = "{\"at\":\"x\\n\\u0001\\\"\\\\/é\u{7f}\",\"status\":200,\"tenantId\":\"a\",\"v\":-7}";
    assert_eq!(String::from_utf8(canonical(&entry).unwrap()).unwrap(), expected);
    for bad in [json!({ "a": 1.5 }), json!({ "a": null }), json!({ "a": [] }), json!({ "a b": 1 })] {
        let Value::Object(bad) = bad else { unreachable!() };
        assert!(canonical(&bad).is_err(), "{bad:?}");
    }
}
