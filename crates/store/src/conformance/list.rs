//! Every case by its theme and name. A case that is not listed here is dead code, and the compiler
//! says so.

/// Hands the list of cases on: `@table` makes the table of the suite, `@tests` one test for each.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    (@$what:ident $($harness:tt)*) => {
        $crate::conformance_expand! {
            @$what [$($harness)*]
            accounts_and_money {
                an_account_is_found_by_its_name_as_it_was_opened,
                an_account_name_is_given_once,
                a_change_of_an_account_leaves_the_rest,
                accounts_are_listed_in_the_order_of_their_ids,
                a_top_up_is_an_entry_with_its_note,
                a_correction_may_take_the_credit_to_zero_and_not_below,
                credit_does_not_leave_its_range,
                nobody_cannot_be_topped_up,
                the_ledger_is_read_in_pages,
                entries_are_numbered_by_each_account_without_gaps,
            }
            accepting {
                accepting_reserves_exactly_the_price,
                a_bulk_is_reported_as_it_was_accepted,
                bulks_are_numbered_from_10001_in_each_account,
                without_enough_credit_nothing_is_written,
                the_last_rial_can_be_spent,
                a_price_beyond_the_range_is_not_enough_credit,
                a_bulk_may_cost_nothing,
                an_account_that_does_not_exist_cannot_send,
                a_known_idempotency_key_answers_the_first_bulk_and_writes_nothing,
                an_idempotency_key_is_forgotten_after_its_hours,
                a_key_leads_to_its_bulk_once_that_is_acknowledged,
                accounts_do_not_share_idempotency_keys,
                the_key_of_a_refused_bulk_is_not_remembered,
                recipients_that_end_at_once_are_reported_and_never_sent,
                a_bulk_of_which_nothing_can_be_sent_is_finished,
                recipients_keep_their_order_over_slices_and_pages,
                each_recipient_may_have_its_own_text,
                a_bulk_of_another_account_does_not_exist,
                accepting_rings_for_those_who_wait,
            }
            directory {
                a_bulk_keeps_that_its_sender_may_not_see_the_numbers,
                a_masked_number_is_never_taken,
            }
            building {
                nothing_shows_and_nothing_leaves_before_the_seal,
                a_bulk_may_begin_without_recipients,
                the_seal_rings_for_those_who_wait,
                a_large_bulk_keeps_its_order_over_its_commands,
                nothing_is_added_after_the_seal,
                an_unknown_bulk_is_neither_filled_nor_sealed,
                abandoning_gives_all_credit_back,
                the_key_of_an_abandoned_bulk_does_not_answer_it,
                credit_that_runs_out_in_the_middle_leaves_what_was_there,
                a_half_built_bulk_survives_a_crash_and_can_be_abandoned,
                two_bulks_can_be_built_at_the_same_time,
            }
            claiming {
                a_claim_carries_all_that_the_link_needs,
                a_claimed_recipient_is_attempted_and_not_handed_out_twice,
                waiting_lanes_name_each_lane_once,
                only_the_lanes_asked_for_are_claimed,
                a_line_nobody_asks_for_is_not_claimed,
                a_claim_is_as_large_as_asked,
                only_the_last_message_goes_over_the_share,
                a_lane_keeps_to_its_share_and_the_link_to_its_own,
                two_links_on_one_lane_get_different_messages,
                a_scheduled_bulk_is_not_claimed_before_its_time,
                what_is_past_its_validity_is_not_claimed,
                what_is_past_its_validity_does_not_hide_what_is_due,
                what_comes_back_is_claimed_again_in_its_place,
                totals_tell_what_waits_and_what_is_under_way,
            }
            inboxes {
                a_queued_part_is_taken_out_once,
                a_repetition_is_dropped_only_in_its_time,
                parts_are_gathered_in_any_order_over_a_restart,
                what_lacks_a_part_is_ripe_when_nothing_came_for_long,
                a_reference_used_again_begins_another_message,
                a_message_is_fetched_once_and_again_on_request,
                an_answer_ends_with_the_text_that_fills_it,
                concurrent_calls_share_no_message,
                inboxes_are_apart_and_nobodys_is_the_operators,
                work_is_done_once_and_its_answers_are_counted,
                rules_keep_their_order_and_their_numbers,
                callbacks_are_claimed_in_order_and_again_after_the_lease,
                a_queue_that_failed_waits_and_the_others_do_not,
                what_stands_aside_does_not_hold_its_queue,
                callbacks_past_their_time_are_given_up_together,
                the_log_of_callbacks_is_bounded,
                a_callback_that_ended_is_called_once_more,
            }
            fairness {
                a_hundred_thousand_of_one_do_not_delay_the_single_of_another,
                many_small_bulks_of_one_do_not_delay_another,
                accounts_share_a_claim_evenly,
                everybody_who_waits_gets_something,
                what_one_leaves_the_others_get,
                long_messages_count_by_their_parts,
                urgent_bulks_go_first,
                urgent_bulks_do_not_starve_the_others,
                what_waits_for_its_time_does_not_hold_up_the_rest,
                a_lane_without_a_link_does_not_hold_up_the_others,
            }
            outcomes {
                what_the_operator_takes_is_charged,
                what_the_operator_refuses_is_set_free,
                a_deferred_message_waits_and_comes_again,
                a_message_deferred_too_often_is_given_up,
                a_throttled_message_comes_again_after_a_pause,
                a_lost_answer_means_sending_again_where_the_line_resends,
                a_lost_answer_means_holding_where_the_line_holds,
                what_never_left_is_due_at_once,
                a_text_that_cannot_be_sent_ends_its_recipient,
                outcomes_for_nobody_change_nothing,
                an_outcome_before_the_claim_changes_nothing,
                the_first_outcome_of_an_attempt_stands,
                outcomes_of_several_accounts_go_in_one_command,
                an_empty_batch_is_no_error,
            }
            receipts {
                a_receipt_says_that_it_was_delivered,
                each_kind_of_receipt_has_its_reason,
                an_early_receipt_is_parked_and_applied_with_its_answer,
                early_receipts_are_applied_in_the_order_they_came,
                a_doubled_receipt_changes_nothing,
                the_first_word_stands_when_receipts_contradict,
                an_unknown_receipt_is_parked_and_given_up_in_the_end,
                links_do_not_share_message_ids,
                a_parked_receipt_waits_on_its_own_link,
                a_message_without_an_id_is_matched_by_no_receipt,
                a_message_id_that_is_used_again_names_the_newer_message,
                a_parked_receipt_is_spent_on_one_message,
                failing_is_refunded_by_delivery_and_only_once,
                a_receipt_after_the_report_time_is_too_late,
                receipts_of_several_accounts_come_in_one_command,
            }
            multipart {
                a_message_is_delivered_when_all_its_parts_are,
                one_refused_part_fails_the_message,
                only_the_missing_parts_are_sent_again,
                a_share_counts_only_the_parts_that_are_missing,
                an_early_receipt_of_one_part_counts,
                a_failed_part_waits_for_the_answers_of_the_others,
                a_held_message_listens_to_the_receipts_of_its_other_parts,
                a_message_may_have_32_parts,
            }
            recovery {
                everything_acknowledged_survives_a_crash,
                the_unanswered_are_in_doubt_and_nobody_else,
                recovery_comes_once,
                recovery_of_a_new_store_finds_nothing,
                what_was_in_doubt_is_sent_again_where_the_line_resends,
                what_was_in_doubt_is_held_where_the_line_holds,
                a_late_answer_after_the_recovery_changes_nothing,
                a_clean_stop_leaves_the_unanswered_in_doubt_too,
                thousands_in_doubt_are_recovered_in_slices,
                a_crash_in_the_middle_of_recovery_loses_nobody,
                what_is_in_doubt_of_a_stopped_bulk_ends_cancelled,
                a_bulk_goes_its_whole_way_over_crashes,
                an_outcome_and_its_charge_are_one,
            }
            leases {
                a_process_is_shown_as_it_beats,
                the_living_are_those_that_beat_in_time,
                who_is_long_gone_is_forgotten,
                a_held_duty_is_refused_to_others,
                a_duty_is_taken_over_when_its_lease_runs_out,
                a_renewal_keeps_the_epoch_and_never_shortens_the_lease,
                a_duty_given_back_is_free_at_once_and_counts_up,
                nobody_gives_back_what_another_holds,
                who_leaves_gives_everything_back_at_once,
                leases_and_epochs_survive_a_crash,
                one_of_many_at_the_same_time_gets_the_duty,
                a_fenced_claim_claims_nothing,
                fenced_outcomes_are_not_written,
                a_fenced_recovery_settles_nothing,
                who_gave_a_link_back_is_fenced,
                a_link_never_leased_is_held_under_no_epoch_but_0,
                receipts_and_messages_from_handsets_are_not_fenced,
                recovery_of_one_link_leaves_the_attempts_of_another,
                what_another_link_claims_next_belongs_to_that_link,
                a_new_holder_settles_what_the_last_one_had_in_flight,
            }
            stopping {
                what_waits_is_cancelled_and_its_credit_set_free,
                what_is_under_way_goes_on_to_its_end,
                what_comes_back_after_the_stop_is_not_sent_again,
                a_stop_may_be_repeated,
                a_finished_bulk_has_nothing_left_to_stop,
                a_bulk_that_is_not_there_cannot_be_stopped,
                thousands_are_stopped_in_slices_but_at_once,
                a_stop_broken_off_by_a_crash_is_kept,
                a_scheduled_bulk_can_be_stopped_before_its_time,
                what_waits_for_another_attempt_is_cancelled,
                the_answers_of_a_stopped_bulk_are_read_back_by_its_key,
            }
            sweeping {
                a_sweep_of_a_quiet_store_does_nothing,
                what_waits_past_its_validity_fails,
                what_is_under_way_outlives_its_validity,
                no_receipt_in_time_ends_a_message,
                a_held_message_ends_with_the_report_time,
                the_report_time_counts_from_the_last_submit,
                those_with_a_receipt_do_not_time_out,
                thousands_end_in_slices_until_there_is_no_more,
                a_bulk_that_nobody_finishes_building_is_abandoned,
                a_sweep_forgets_only_old_idempotency_keys,
            }
            catalog {
                each_change_gives_the_catalog_a_new_version,
                the_version_outlives_a_restart,
                a_line_is_shown_as_it_was_written,
                numbers_and_names_are_given_once,
                a_link_is_shown_as_it_was_written,
                a_grant_is_given_and_taken_back,
                a_price_is_set_replaced_and_removed,
                what_a_link_does_is_written_down,
            }
            patterns_and_keys {
                a_pattern_is_met_by_its_owner_as_it_was_made,
                a_pattern_code_is_given_once_in_the_installation,
                a_pattern_of_another_account_does_not_exist,
                a_grant_of_a_pattern_is_given_and_taken_back,
                a_change_of_a_pattern_leaves_the_rest,
                each_change_gives_the_patterns_a_new_version,
                patterns_are_listed_in_pages,
                a_key_leads_to_its_account_by_its_digest,
                keys_are_numbered_in_each_account_and_given_once,
                a_key_is_revoked_once_and_by_its_own_account,
                the_last_use_of_a_key_only_moves_forward,
            }
            books_and_contacts {
                a_book_is_shown_to_its_account_alone,
                books_are_numbered_in_each_account_and_never_again,
                an_account_has_no_more_books_than_it_may,
                books_are_read_in_pages,
                a_contact_that_is_there_already_is_not_added_twice,
                an_update_takes_over_what_is_given_and_keeps_the_rest,
                a_full_book_takes_no_more_and_says_how_many,
                contacts_are_read_in_the_order_of_their_numbers,
                fields_are_named_once_and_keep_their_order,
                hostile_texts_are_kept_as_they_are,
                removed_contacts_are_gone_and_not_counted,
                a_book_gets_another_title,
                a_contact_is_replaced_whole_where_it_is_there,
                a_removed_book_is_gone_at_once_however_large,
                a_removal_broken_off_by_a_crash_is_finished_by_the_sweep,
                contacts_that_were_added_survive_a_crash,
            }
            reports {
                a_new_store_is_empty_and_healthy,
                two_stores_share_nothing,
                the_counts_follow_the_recipients,
                messages_from_handsets_are_taken_down,
                a_backup_opens_as_a_store_with_the_same_content,
                a_closed_store_refuses_every_command,
                closing_finishes_what_was_queued,
            }
            concurrency {
                the_credit_is_never_spent_twice,
                one_key_at_the_same_time_is_one_bulk,
                nobody_is_claimed_twice,
                all_at_once_ends_with_exact_money,
                accounts_do_not_wait_for_each_other_for_ever,
                a_command_that_nobody_waits_for_is_whole_or_nothing,
                readers_see_only_what_was_committed_whole,
                what_was_accepted_is_seen_by_the_next_query,
            }
            resellers {
                a_package_is_shown_as_it_was_written,
                a_package_changes_the_version_of_the_catalog,
                a_package_that_accounts_have_stays,
                an_id_of_a_package_is_never_used_again,
                a_package_is_offered_and_no_longer,
                an_account_knows_those_above_it,
                an_account_opened_in_the_tree_survives_a_crash,
                a_refused_opening_leaves_nothing_behind,
                a_reseller_opens_no_more_accounts_than_it_may,
                the_tree_is_no_deeper_than_it_may,
                an_account_is_given_another_package,
                sub_accounts_are_listed_in_pages_and_without_grandchildren,
                a_transfer_moves_credit_both_ways,
                credit_moves_only_between_parent_and_child,
                no_transfer_takes_credit_below_zero,
                transfers_at_the_same_time_end_with_exact_money,
                the_ledger_is_added_up_in_slices,
                a_day_has_no_more_messages_than_it_may,
                a_built_bulk_counts_for_the_day_when_it_is_sealed,
            }
            blacklists {
                numbers_come_onto_a_list_once_and_off_it_again,
                each_number_is_found_on_the_first_list_that_is_asked,
                a_replacement_takes_its_place_at_once_and_whole,
                a_replacement_that_is_given_up_leaves_the_list_alone,
                lists_are_followed_by_their_version_and_additions,
                no_command_carries_too_many_numbers_of_a_list,
                who_opts_out_while_waiting_is_left_out_and_not_charged,
                many_who_opted_out_hold_up_nobody_else,
                lists_that_do_not_bind_the_line_leave_nobody_out,
                who_opts_in_again_is_sent_to,
                a_text_that_left_in_part_is_sent_whole,
                versions_of_lists_and_rules_do_not_mix,
            }
            approving {
                rules_are_kept_in_their_order,
                nothing_leaves_before_somebody_decides,
                an_approved_text_goes_its_way,
                validity_counts_from_the_approval,
                a_scheduled_time_outlasts_the_approval,
                a_rejected_text_ends_and_its_credit_comes_back,
                a_text_is_decided_about_once,
                a_sender_may_cancel_while_it_waits,
                what_nobody_decides_about_is_rejected_in_the_end,
                a_large_bulk_is_asked_about_when_it_is_complete,
                a_text_of_later_recipients_makes_the_whole_bulk_wait,
                a_rejection_broken_off_by_a_crash_is_kept,
                nobody_is_asked_about_a_bulk_without_anyone_to_send_to,
                an_idempotency_key_answers_a_bulk_that_waits,
                the_oldest_waits_first_in_the_queue,
            }
            bulk_lists {
                bulks_are_listed_from_the_newest_in_pages,
                bulks_are_found_by_what_is_known_of_them,
                bulks_are_found_by_their_time,
                a_bulk_that_was_never_acknowledged_is_in_no_list,
                recipients_are_found_by_state_and_number,
                a_long_search_ends_and_goes_on,
                approvals_that_wait_are_counted,
            }
            pausing {
                nothing_of_a_paused_bulk_leaves_until_it_goes_on,
                only_what_is_accepted_and_unsent_is_paused,
                what_comes_back_from_a_link_waits_in_the_pause,
                what_a_link_has_is_reported_in_the_pause,
                a_paused_bulk_is_stopped,
                validity_runs_on_in_a_pause,
                attempts_without_an_answer_wait_in_the_pause_after_a_crash,
                a_large_bulk_goes_on_although_its_process_is_gone,
                a_bulk_is_paused_again_while_it_goes_on,
                an_approved_bulk_is_paused,
                a_pause_leaves_other_bulks_alone,
            }
            statistics {
                messages_are_counted_where_they_stand,
                each_hour_line_and_operator_has_its_own_counts,
                a_bulk_that_is_built_is_counted_from_its_first_command,
                what_ends_before_it_leaves_is_counted,
                what_comes_back_is_counted_once,
                statistics_of_all_are_the_sum_over_accounts,
                old_hours_are_folded_into_their_day,
            }
            tickets {
                a_ticket_is_shown_as_it_was_written,
                a_ticket_stands_where_its_last_message_left_it,
                a_ticket_of_another_account_does_not_exist,
                tickets_are_listed_in_pages_and_closed_ones_on_demand,
                tickets_messages_and_files_have_their_limits,
                tickets_opened_at_the_same_time_have_different_numbers,
            }
            people {
                a_person_is_found_by_number_and_name_as_they_were_added,
                a_name_is_given_once_in_an_account,
                an_account_has_no_more_people_than_it_may,
                a_persons_number_is_never_handed_out_again,
                people_added_at_the_same_time_are_as_many_as_may_be,
                a_change_of_a_person_is_made_from_what_they_are_now,
                nobody_is_changed_or_removed_who_is_not_there,
                the_account_itself_comes_into_being_with_its_first_change,
                of_changes_from_one_version_one_is_made,
                an_administrator_who_may_sign_in_is_left,
                administrators_who_leave_at_the_same_time_leave_one,
                who_is_locked_or_removed_is_signed_out_at_once,
                a_session_is_found_until_it_runs_out,
                a_session_that_is_used_lasts_longer_and_one_that_ended_does_not,
                sessions_of_a_person_end_as_asked_and_nobody_elses,
                of_too_many_sessions_the_one_seen_least_lately_ends,
                sessions_begun_at_the_same_time_are_not_too_many,
                a_sweep_forgets_the_sessions_that_ran_out,
            }
            console {
                an_account_is_found_by_its_id_as_by_its_name,
                a_draft_is_kept_as_it_was_written_last,
                drafts_are_listed_by_when_they_were_written,
                a_draft_of_another_account_does_not_exist,
                drafts_have_their_limits,
                an_audit_entry_keeps_its_first_outcome,
                details_of_an_audit_entry_are_cut_off_at_a_character,
                the_audit_log_is_read_from_the_newest_in_pages,
                the_audit_log_is_searched_by_actor_and_action,
                a_search_of_the_audit_log_reads_so_many_rows_and_goes_on,
                audit_entries_written_at_the_same_time_have_different_numbers,
            }
            model_run {
                a_random_walk_agrees_with_the_model,
                another_random_walk_agrees_with_the_model,
            }
        }
    };
}

/// What the list becomes.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_expand {
    (@table [] $($theme:ident { $($case:ident,)* })*) => {
        &[$($((
            concat!(stringify!($theme), "::", stringify!($case)),
            |harness| Box::pin($theme::$case(harness)),
        ),)*)*]
    };
    (@tests [$harness:expr] $($theme:ident { $($case:ident,)* })*) => {
        $(mod $theme {
            $(#[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let harness = $harness;
                let name = concat!(stringify!($theme), "::", stringify!($case));
                $crate::conformance::run(name, &harness).await;
            })*
        })*
    };
}

/// Expands to one `#[tokio::test]` for each case, in a module for each theme. The argument makes a
/// [`Harness`](crate::conformance::Harness); it stands inside those modules, so its path must
/// begin with `crate::` or `super::`. The crate needs tokio with `rt-multi-thread` and `macros`.
///
/// ```ignore
/// store::conformance_tests!(super::SqliteHarness::new());
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr) => {
        $crate::conformance_cases! { @tests $harness }
    };
}
