//! What every store must hold to, run against each of them.
//!
//! A rule is an `async fn(&dyn Store)` on an empty store, in the module of its subject; the macro
//! makes one test of it for each store.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance {
    pub(crate) mod additions;
    pub(crate) mod app_state;
    pub(crate) mod archive;
    pub(crate) mod history;
    pub(crate) mod keys;
    pub(crate) mod lid;
    pub(crate) mod people;
    pub(crate) mod queues;
    pub(crate) mod samples;
    pub(crate) mod scope;
    pub(crate) mod search;
}

/// Makes a test of each rule for each store.
macro_rules! rules {
    ($($module:ident { $($rule:ident)* })*) => {
        mod memory {
            $(mod $module { $(
                #[tokio::test]
                async fn $rule() {
                    let store = wa_store::MemoryStore::new();
                    crate::conformance::$module::$rule(&store).await;
                }
            )* })*
        }
        mod sqlite {
            $(mod $module { $(
                #[tokio::test]
                async fn $rule() {
                    let folder = tempfile::tempdir().unwrap();
                    let key = wa_store::DatabaseKey::from_bytes([7; 32]);
                    let store = wa_store::SqliteStore::open(folder.path().join("wa.db"), key);
                    let store = store.await.unwrap();
                    crate::conformance::$module::$rule(&store).await;
                }
            )* })*
        }
    };
}

rules! {
    scope {
        a_page_of_one_does_not_tell_what_is_left_out
        a_search_does_not_tell_what_is_left_out
        a_strangers_words_are_left_out_wherever_they_stand
        a_strangers_group_is_left_out_until_somebody_known_writes_there
        one_person_is_left_out_by_whichever_address
        a_rule_that_holds_besides_only_takes_away
        lists_and_counts_do_not_tell_what_is_left_out
        only_what_is_named_is_given_where_only_that_is_wanted
    }
    keys {
        the_account_is_kept_whole
        prekeys_are_counted_until_they_are_used
        signed_prekeys_are_given_newest_first
        sessions_and_identities_stand_under_exactly_their_device
        a_key_that_another_replaced_is_a_former_one_until_its_device_has_it_again
        a_voided_key_is_a_former_one_until_it_is_accepted_again
        sender_keys_and_their_holders_are_forgotten_one_by_one
        sender_keys_go_with_the_identity_under_which_they_were_told
        device_lists_are_replaced_whole
        what_was_verified_outlives_the_device_list
        groups_are_replaced_whole_and_forgotten
        an_unlinked_device_takes_no_writes_until_the_next_account
        a_commit_lands_whole_or_not_at_all
        a_closed_store_refuses
    }
    queues {
        what_was_seen_is_forgotten_after_14_days
        retry_counts_survive_and_expire
        a_sent_message_is_found_under_both_names_for_7_days
        whom_a_message_was_sent_to_is_kept_as_long_as_the_message
        the_outbox_keeps_its_order_and_its_states
        an_idempotency_key_is_taken_only_once
        the_next_entry_of_a_chat_is_found_behind_a_place_and_under_both_names
        receipts_wait_in_order
        settings_are_kept_and_removed
        the_audit_is_given_newest_first_and_by_time
        what_is_to_be_announced_stands_in_the_journal_until_it_was
        the_audit_is_a_chain_that_survives_the_taking_out_of_what_is_old
    }
    history {
        parts_wait_in_order_until_they_are_removed
        a_gap_is_replaced_in_its_place_and_closed
        the_gap_of_a_chat_moves_to_the_lid
        an_unlinked_device_forgets_what_it_was_told_of_the_history
    }
    lid {
        a_mapping_is_found_both_ways_and_replaces_old_ones
        sessions_move_to_the_lid_whose_own_win
        two_chats_of_one_person_become_one
        a_message_that_came_under_both_names_stands_once
        everything_that_hangs_on_a_message_moves_along
    }
    people {
        contacts_report_what_changed
        several_people_are_looked_up_by_whichever_name_was_asked
        contacts_are_found_by_any_name_or_number
        chats_stand_pinned_first_then_by_their_last_message
        chats_are_filtered
        the_timer_set_last_counts
        secrets_and_tokens_are_found_under_both_names
        tokens_are_forgotten_after_four_weeks_unless_one_was_given_since
    }
    app_state {
        sync_keys_are_kept_and_never_replaced
        a_collection_advances_with_its_macs
        pending_changes_wait_in_order
        labels_are_found_by_what_they_are_on_and_the_other_way_round
        answers_mutes_and_locks_are_kept
        names_in_the_address_book_are_removed_and_nothing_else
        a_chat_is_emptied_up_to_a_second_and_stays
        an_unlinked_device_forgets_keys_and_collections
        settings_are_found_by_how_their_names_begin
    }
    archive {
        a_message_is_kept_whole
        a_message_is_never_archived_twice
        a_commit_gives_the_rows_it_archived
        sequence_numbers_grow_and_are_never_used_again
        a_placeholder_is_filled_in_its_place_with_a_new_number
        a_placeholder_for_a_message_that_is_there_is_nothing
        status_only_moves_forward
        edits_keep_what_was_said_before
        an_edit_may_come_before_its_message
        a_revoked_message_leaves_a_tombstone
        a_revocation_may_come_before_its_message
        reactions_replace_and_take_back
        reactions_to_several_messages_are_given_at_once
        messages_are_given_by_time_and_paged
        filters_combine
        messages_are_deleted_with_what_hangs_on_them
        stars_are_set_and_taken
        times_from_elsewhere_are_bounded
    }
    additions {
        a_poll_counts_the_newest_vote_of_each_voter
        a_poll_of_a_thousand_options_is_counted
        a_vote_under_both_names_of_a_person_counts_once
        answers_pins_keeps_and_positions_are_replaced_by_newer_ones
        a_revoked_message_takes_no_additions
        whatever_the_order_the_archive_is_the_same
        a_sealed_addition_waits_for_the_secret_of_its_message
        what_did_not_open_is_tried_again_under_another_name
        sealed_additions_are_bounded_in_number_and_time
        disappearing_messages_go_in_time_unless_kept
        comments_are_found_on_their_message
        what_a_commit_altered_is_told
    }
    search {
        words_are_found_in_many_scripts
        accents_case_and_width_do_not_matter
        parts_of_words_are_found
        phrases_prefixes_and_exclusions_hold
        no_text_is_an_error
        every_filter_holds
        the_newest_come_first_and_pages_do_not_shift
        the_best_come_first_and_pages_do_not_shift
        edits_and_revocations_change_what_is_found
        highlights_stand_in_the_original_text
        a_cursor_of_another_order_is_refused
    }
}
