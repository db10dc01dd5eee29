<?php
/**
 * What the plugin promises, in a real WordPress and against a real service. WooCommerce is a stand-in.
 */

const SETTINGS = '/wp-admin/admin.php?page=peyk&tab=settings';
const TEST     = '/wp-admin/admin.php?page=peyk&tab=test';

function scenario_a_message_is_written_first_and_sent_in_the_background() {
	same( true, peyk_send( array( '۰۹۱۲ ۱۱۱ ۱۱۱۱', '+989351111111', 'no number', '09121111111' ), 'سلام <b>😀</b>' ) );
	same( array( 'queued +989121111111,+989351111111: سلام <b>😀</b>' ), told() );
	same( 1, run_tasks() );
	same( array( 'sent +989121111111,+989351111111: سلام <b>😀</b>' ), told() );
	$row = Peyk_Messages::latest( 1 )[0];
	same( '', $row->error );
	$numbers = array_column( customer()->delivery( (int) $row->bulk_id ), 'number' );
	same( array( '+989121111111', '+989351111111' ), $numbers );
	same( null, Peyk_Messages::deliver( $row->id ), 'a second attempt finds nothing to do' );
}

function scenario_a_message_that_somebody_waits_for_gives_its_bulk_id() {
	$seen = array();
	add_action(
		'peyk_sent',
		static function ( $bulk_id, $message ) use ( &$seen ) {
			$seen[] = array( $bulk_id, $message->origin );
		},
		10,
		2
	);
	$args = array( 'mode' => 'now', 'private' => true, 'origin' => 'login' );
	$bulk = peyk_send( '09121111111', 'Your code: 1234', $args );
	same( true, is_int( $bulk ) && $bulk > 10000 );
	same( array( array( $bulk, 'login' ) ), $seen );
	same( array( 'sent +989121111111: ' ), told(), 'a private text is removed' );
}

function scenario_what_cannot_be_sent_is_refused_in_words() {
	$long  = str_repeat( 'a', 2001 );
	$many  = array_map( static function ( $n ) { return sprintf( '0912%07d', $n ); }, range( 1, 1001 ) );
	$cases = array(
		'peyk_no_number' => peyk_send( array( '12', array( 'x' ), null ), 'Hi' ),
		'peyk_text'      => peyk_send( '09121111111', " \n" ),
		'peyk_too_many'  => peyk_send( $many, 'Hi' ),
	);
	foreach ( $cases as $code => $error ) {
		same( $code, $error->get_error_code() );
	}
	same( 'peyk_text', peyk_send( '09121111111', $long )->get_error_code() );
	same( array(), told() );
	$refused = peyk_send( '09121111111', 'Hi', array( 'mode' => 'now', 'line' => '+98999' ) );
	same( 'peyk_refused', $refused->get_error_code() );
	same( array( 'code' => 3 ), $refused->get_error_data() );
	same( array( 'failed +989121111111: Hi' ), told() );
	set_settings( array( 'url' => '' ) );
	same( 'peyk_not_set_up', peyk_send( '09121111111', 'Hi', array( 'mode' => 'now' ) )->get_error_code() );
}

function scenario_a_key_lets_one_message_through() {
	same( true, peyk_send( '09121111111', 'Hi', array( 'key' => 'k' ) ) );
	same( 'peyk_duplicate', peyk_send( '09121111111', 'Hi', array( 'key' => 'k' ) )->get_error_code() );
	$long = str_repeat( 'k', 300 );
	same( true, peyk_send( '09121111111', 'Hi', array( 'key' => $long ) ) );
	same( 'peyk_duplicate', peyk_send( '09121111111', 'Hi', array( 'key' => $long ) )->get_error_code() );
	same( 2, count( told() ) );
}

function scenario_filters_change_a_message_and_can_stop_it() {
	add_filter( 'peyk_text', static function ( $text ) { return "$text!"; } );
	add_filter( 'peyk_recipients', static function ( $numbers ) { return array_merge( $numbers, array( '09130000000' ) ); } );
	peyk_send( '09121111111', 'Hi' );
	same( array( 'queued +989121111111,+989130000000: Hi!' ), told() );
	add_filter( 'peyk_recipients', '__return_empty_array', 20 );
	same( 'peyk_no_number', peyk_send( '09121111111', 'Hi' )->get_error_code() );
}

function scenario_a_service_that_is_down_is_tried_again() {
	$closed = stream_socket_server( 'tcp://127.0.0.1:0' );
	$name   = stream_socket_get_name( $closed, false );
	fclose( $closed );
	set_settings( array( 'url' => "http://$name" ) );
	peyk_send( '09121111111', 'Hi' );
	same( 1, run_tasks() );
	same( array( 'queued +989121111111: Hi' ), told() );
	same( 0, run_tasks(), 'not at once' );
	set_settings( array() );
	same( 1, run_tasks( 61 ) );
	same( array( 'sent +989121111111: Hi' ), told() );
	same( '2', Peyk_Messages::latest( 1 )[0]->attempts );
}

function scenario_a_service_that_stays_down_is_given_up() {
	$failed = 0;
	add_action( 'peyk_failed', static function () use ( &$failed ) { ++$failed; } );
	add_filter( 'pre_http_request', static function () { return new WP_Error( 'http_request_failed', 'nobody' ); } );
	peyk_send( '09121111111', 'Hi' );
	for ( $attempt = 1; $attempt <= 5; ++$attempt ) {
		same( 1, run_tasks( 3601 ), "attempt $attempt" );
	}
	same( 0, run_tasks( 90000 ) );
	same( array( 'failed +989121111111: Hi' ), told() );
	same( 1, $failed );
	same( 'nobody', Peyk_Messages::latest( 1 )[0]->error );
}

function scenario_a_message_whose_answer_was_lost_is_sent_once() {
	$lose = true;
	add_filter(
		'http_response',
		static function ( $answer ) use ( &$lose ) {
			return $lose ? new WP_Error( 'http_request_failed', 'timed out' ) : $answer;
		}
	);
	$before = customer()->credit();
	peyk_send( '09121111111', 'Hi' );
	run_tasks();
	same( array( 'queued +989121111111: Hi' ), told() );
	$lose = false;
	run_tasks( 61 );
	same( array( 'sent +989121111111: Hi' ), told() );
	same( 300.0, $before - customer()->credit(), 'paid for once' );
}

function scenario_what_was_left_behind_is_taken_up() {
	global $wpdb;
	peyk_send( '09121111111', 'Hi' );
	peyk_send( '09121111111', 'Code', array( 'retry' => false ) );
	wp_unschedule_hook( Peyk_Messages::DELIVER );
	$old = gmdate( 'Y-m-d H:i:s', time() - 700 );
	$wpdb->query( 'UPDATE ' . Peyk_Messages::table() . " SET state = 'sending', attempts = 1, claimed_at = '$old'" );
	do_action( Peyk_Messages::SWEEP );
	same( 1, run_tasks() );
	same( array( 'sent +989121111111: Hi', 'failed +989121111111: Code' ), told() );
}

function scenario_the_log_stays_short() {
	global $wpdb;
	$table = Peyk_Messages::table();
	peyk_send( '09121111111', 'Hi' );
	$wpdb->query( "UPDATE $table SET state = 'sent'" );
	$columns = 'created_at, due_at, state, local_id, recipients, body';
	for ( $doubled = 0; $doubled < 10; ++$doubled ) {
		$wpdb->query( "INSERT INTO $table ($columns) SELECT $columns FROM $table" );
	}
	peyk_send( '09121111111', 'waits' );
	do_action( Peyk_Messages::SWEEP );
	same( Peyk_Messages::ROWS_MAX + 1, Peyk_Messages::count() );
	same( 'queued +989121111111: waits', told()[99] );
}

function set_order_texts() {
	update_option(
		Peyk_Settings::TEXTS,
		array(
			'processing' => array(
				'customer' => array( 'on' => true, 'text' => '{first_name} عزیز، سفارش {order_number} ثبت شد: {items}، {total} {nothing}' ),
				'manager'  => array( 'on' => true, 'text' => '{order_number} {status} {phone} {shop}' ),
			),
			'completed'  => array( 'customer' => array( 'on' => false, 'text' => 'never' ) ),
		)
	);
	set_settings( array( 'managers' => "+989130000001\n+989130000002" ) );
}

function new_order( array $more = array() ) {
	$items = array( array( 'کتاب <i>نو</i>', 2 ), array( 'Pen', 1 ) );
	return WC_Order::create( $more + array( 'phone' => '۰۹۱۲۱۱۱۱۱۱۱', 'first_name' => 'علی', 'items' => $items ) );
}

function scenario_an_order_tells_the_customer_and_the_managers() {
	set_order_texts();
	new_order()->update_status( 'processing' );
	same(
		array(
			'queued +989121111111: علی عزیز، سفارش 101 ثبت شد: کتاب نو × 2، Pen، 125,000 ﷼ {nothing}',
			'queued +989130000001,+989130000002: 101 Processing ۰۹۱۲۱۱۱۱۱۱۱ فروشگاه <آزمون>',
		),
		told()
	);
	same( 2, run_tasks() );
	same( 'sent', explode( ' ', told()[0] )[0] );
}

function scenario_a_change_of_status_is_told_once() {
	set_order_texts();
	$order = new_order();
	// The customer's browser and the bank come at the same time: each has the order as it was before.
	$other = WC_Order::load( $order->get_id() );
	$order->update_status( 'processing' );
	$other->update_status( 'processing' );
	do_action( 'woocommerce_order_status_changed', $order->get_id(), 'pending', 'processing', $order );
	same( 2, count( told() ) );
	$order = WC_Order::load( $order->get_id() );
	$order->update_status( 'completed' );
	same( 2, count( told() ), 'a text that is off' );
	$order->update_status( 'processing' );
	same( 4, count( told() ), 'a second change to the same status is told again' );
}

function scenario_values_of_an_order_are_no_texts() {
	set_order_texts();
	$name = "{total} <script>alert(1)</script>\u{202E}\nx &amp; y";
	new_order( array( 'first_name' => $name, 'items' => array() ) )->update_status( 'processing' );
	holds( ': {total}  x & y عزیز، سفارش', told()[0] );
	lacks( 'script', told()[0] );
	lacks( "\u{202E}", told()[0] );
}

function scenario_an_order_is_never_stopped() {
	global $wpdb;
	set_order_texts();
	ini_set( 'error_log', getenv( 'WP_TEST_CONTENT' ) . '/expected.log' );
	$throw = static function () {
		throw new RuntimeException( 'from a filter' );
	};
	add_filter( 'peyk_order_values', $throw );
	new_order()->update_status( 'processing' );
	remove_filter( 'peyk_order_values', $throw );
	same( array(), told() );
	new_order( array( 'phone' => '021 1234' ) )->update_status( 'processing' );
	same( 1, count( told() ), 'the managers only: the customer has no mobile number' );
	$table = Peyk_Messages::table();
	$wpdb->query( "RENAME TABLE $table TO {$table}_away" );
	try {
		new_order()->update_status( 'processing' );
	} finally {
		$wpdb->query( "RENAME TABLE {$table}_away TO $table" );
	}
	do_action( 'woocommerce_order_status_changed', 999999, 'pending', 'processing', null );
	holds( 'from a filter', file_get_contents( ini_get( 'error_log' ) ) );
}

function scenario_an_order_can_be_told_at_once() {
	set_order_texts();
	set_settings( array( 'mode' => 'now' ) );
	$requests = array();
	listen( $requests );
	new_order()->update_status( 'processing' );
	same( 1, count( $requests ) );
	same( 'sent', explode( ' ', told()[0] )[0] );
	add_filter( 'pre_http_request', static function () { return new WP_Error( 'http_request_failed', 'nobody' ); } );
	new_order()->update_status( 'processing' );
	holds( 'queued', told()[1], 'what failed at once goes on in the background' );
}

function scenario_action_scheduler_is_used_where_it_is_there() {
	$GLOBALS['enqueued'] = array();
	function as_enqueue_async_action( $hook, $args, $group ) {
		$GLOBALS['enqueued'][] = array( $hook, $args, $group );
		return 'works' === $GLOBALS['scheduler'] ? 1 : 0;
	}
	function as_schedule_single_action( $time, $hook, $args, $group ) {
		return 1;
	}
	$GLOBALS['scheduler'] = 'works';
	peyk_send( '09121111111', 'Hi' );
	$row = Peyk_Messages::latest( 1 )[0];
	same( array( array( 'peyk_deliver', array( (int) $row->id ), 'peyk' ) ), $GLOBALS['enqueued'] );
	same( 0, run_tasks() );
	$GLOBALS['scheduler'] = 'fails';
	peyk_send( '09121111111', 'Hi' );
	same( 1, run_tasks(), 'else the cron of WordPress' );
}

function scenario_the_checkout_reads_numbers_in_any_form() {
	$read = static function ( $phone ) {
		return apply_filters( 'woocommerce_checkout_posted_data', array( 'billing_phone' => $phone ) )['billing_phone'];
	};
	same( '+989121111111', $read( '۰۹۱۲-۱۱۱ ۱۱۱۱' ) );
	same( '02112345678', $read( '۰۲۱۱۲۳۴۵۶۷۸' ) );
	same( array( 'x' ), $read( array( 'x' ) ) );
	$errors = static function ( $phone ) {
		$errors = new WP_Error();
		do_action( 'woocommerce_after_checkout_validation', array( 'billing_phone' => $phone ), $errors );
		return $errors->get_error_codes();
	};
	same( array(), $errors( '02112345678' ), 'not asked for' );
	set_settings( array( 'require_mobile' => true ) );
	same( array( 'billing_phone_validation' ), $errors( '02112345678' ) );
	same( array(), $errors( '+989121111111' ) );
	same( array(), $errors( '' ), 'whether it is needed is for the shop to say' );
	$order = new_order();
	do_action( 'woocommerce_store_api_checkout_update_order_from_request', $order );
	same( '+989121111111', $order->get_billing_phone() );
}

function scenario_numbers_are_read_in_every_form() {
	foreach ( array( '9121111111', '09121111111', '+989121111111', '989121111111', '00989121111111', '0989121111111', ' 0912 111-1111 ', '۰۹۱۲۱۱۱۱۱۱۱', '٠٩١٢١١١١١١١', "\u{202A}+98 912 111 1111\u{202C}" ) as $given ) {
		same( '+989121111111', Peyk_Numbers::mobile( $given ), $given );
	}
	foreach ( array( '', '0912111111', '091211111111', '02112345678', '+1 912 111 1111', "09121111111\n1", '<script>', str_repeat( '9', 70000 ), "\xFF0912", "0912\0111111" ) as $given ) {
		same( '', Peyk_Numbers::mobile( $given ), $given );
	}
	same( array( '+989121111111', '+989131111111' ), Peyk_Numbers::mobiles( "09121111111، ۰۹۱۳۱۱۱۱۱۱۱\nx,09121111111" ) );
}

function scenario_a_user_keeps_a_number_in_the_profile() {
	$reader = new Browser( 'reader' );
	$page   = '/wp-admin/profile.php';
	$html   = $reader->submit( $page, 'reader', array( 'peyk_phone' => '۰۹۱۲ ۱۱۱ ۱۱۱۱' ) );
	holds( 'value="+989121111111"', $html );
	$html = $reader->submit( $page, 'reader', array( 'peyk_phone' => '"><script>x' ) );
	lacks( '<script>x', $html );
	holds( '0912 111 1111', $html );
	$id = get_user_by( 'login', 'reader' )->ID;
	wp_cache_flush();
	same( '+989121111111', peyk_user_number( $id ), 'a wrong one does not replace a right one' );
	$reader->submit( $page, 'reader', array( 'peyk_phone' => '0935 111 1111', 'peyk_phone_nonce' => 'x' ) );
	wp_cache_flush();
	same( '+989121111111', peyk_user_number( $id ), 'only from the form' );
	$reader->submit( $page, 'reader', array( 'peyk_phone' => '' ) );
	wp_cache_flush();
	same( '', peyk_user_number( $id ) );
}

function scenario_the_settings_are_checked_and_the_password_is_not_shown() {
	delete_option( Peyk_Settings::OPTION );
	delete_option( Peyk_Settings::SECRET );
	$demo  = demo();
	$admin = new Browser( 'admin' );
	$form  = static function ( array $fields ) use ( $admin ) {
		$named = array();
		foreach ( $fields as $name => $value ) {
			$named[ Peyk_Settings::OPTION . "[$name]" ] = $value;
		}
		return $admin->submit( SETTINGS, 'peyk', $named );
	};
	$base  = str_replace( '/services.jspd', '', $demo['url'] );
	$html  = $form(
		array(
			'url'      => $base,
			'username' => $demo['uname'],
			'secret'   => $demo['pass'],
			'line'     => '۳۰۰۰۵۰۵',
			'timeout'  => '9999',
			'managers' => "۰۹۱۲۱۱۱۱۱۱۱\n<script>alert(1)</script>",
		)
	);
	same( 200, $admin->status );
	holds( 'Credit: ', $html );
	holds( 'value="' . $base . '"', $html );
	holds( 'value="3000505"', $html );
	holds( 'value="30"', $html );
	holds( ">+989121111111</textarea>", $html );
	holds( 'was left out', $html );
	lacks( '<script>alert(1)', $html );
	lacks( $demo['pass'], $html, 'the password' );
	$html = $form( array( 'timeout' => '7', 'secret' => '' ) );
	holds( 'Credit: ', $html, 'the password stays' );
	lacks( $demo['pass'], $html, 'the password' );
	$html = $form( array( 'url' => 'javascript:alert(1)' ) );
	holds( 'must begin with http', $html );
	holds( 'value="' . $base . '"', $html );
	$html = $form( array( 'url' => 'http://127.0.0.1:1' ) );
	holds( 'the stored password was removed', $html );
	lacks( 'Credit: ', $html );
	wp_cache_flush();
	same( '', Peyk_Settings::secret() );
}

function scenario_the_connection_and_a_message_are_tested_from_the_dashboard() {
	$admin = new Browser( 'admin' );
	holds( 'The service answers. Credit: ', $admin->submit( TEST, 'peyk_check', array() ) );
	holds( 'The service took the message, as bulk ', $admin->submit( TEST, 'peyk_test', array( 'to' => '۰۹۱۲۱۱۱۱۱۱۱', 'text' => 'سلام' ) ) );
	holds( 'There is no mobile number', $admin->submit( TEST, 'peyk_test', array( 'to' => '12', 'text' => 'سلام' ) ) );
	set_settings( array( 'line' => '+98999' ) );
	holds( 'is not among those of the account: +983000505', $admin->submit( TEST, 'peyk_check', array() ) );
	update_option( Peyk_Settings::SECRET, 'wrong' );
	holds( '962: the username or password is incorrect', $admin->submit( TEST, 'peyk_check', array() ) );
	set_settings( array( 'url' => str_replace( '/services.jspd', '/elsewhere', demo()['url'] ) ) );
	holds( 'HTTP status 404', $admin->submit( TEST, 'peyk_check', array() ) );
}

function scenario_nobody_else_gets_in() {
	foreach ( array( null, 'reader' ) as $user ) {
		$browser = new Browser( $user );
		$html    = $browser->get( SETTINGS );
		lacks( 'peyk_settings', $html );
		$browser->post( '/wp-admin/admin-post.php', array( 'action' => 'peyk_test', 'to' => '09121111111', 'text' => 'Hi' ) );
		$browser->post( '/wp-admin/options.php', array( 'option_page' => 'peyk', 'action' => 'update', 'peyk_settings' => array( 'url' => 'http://127.0.0.1:1' ) ) );
	}
	$admin = new Browser( 'admin' );
	$admin->post( '/wp-admin/admin-post.php', array( 'action' => 'peyk_test', 'to' => '09121111111', 'text' => 'Hi', '_wpnonce' => 'x' ) );
	same( 403, $admin->status, 'without the nonce' );
	wp_cache_flush();
	same( array(), told() );
	same( demo()['url'], Peyk_Settings::get( 'url' ) );
}

function scenario_the_log_shows_hostile_text_as_text() {
	peyk_send( '09121111111', '<script>alert(1)</script> & "سلام"', array( 'origin' => '<img src=x>' ) );
	$html = ( new Browser( 'admin' ) )->get( '/wp-admin/admin.php?page=peyk&tab=log' );
	holds( '&lt;script&gt;alert(1)&lt;/script&gt;', $html );
	lacks( '<script>alert(1)', $html );
	lacks( '<img src=x>', $html );
	holds( '<bdi dir="ltr">+989121111111</bdi>', $html );
}

function scenario_the_texts_of_orders_are_kept() {
	$admin = new Browser( 'admin' );
	$name  = Peyk_Settings::TEXTS . '[processing][customer]';
	$html  = $admin->submit(
		'/wp-admin/admin.php?page=peyk&tab=orders',
		'peyk_texts',
		array( $name . '[on]' => '1', $name . '[text]' => "سلام {first_name}\n{oder_number} </textarea><script>x</script>" )
	);
	same( 200, $admin->status );
	holds( '{oder_number} is not a variable', $html );
	lacks( '<script>x', $html );
	wp_cache_flush();
	same( "سلام {first_name}\n{oder_number}", trim( Peyk_Settings::order_text( 'processing', 'customer' ) ) );
	same( '', Peyk_Settings::order_text( 'processing', 'manager' ) );
}

function scenario_the_pages_speak_persian() {
	update_option( 'WPLANG', 'fa_IR' );
	update_user_meta( get_user_by( 'login', 'admin' )->ID, 'locale', 'fa_IR' );
	$html = ( new Browser( 'admin' ) )->get( SETTINGS );
	delete_user_meta( get_user_by( 'login', 'admin' )->ID, 'locale' );
	foreach ( array( 'نشانی سرویس', 'گذرواژه یا کلید', 'اعتبار: ' ) as $words ) {
		holds( $words, $html );
	}
	lacks( 'Address of the service', $html );
}

function scenario_uninstalling_leaves_nothing() {
	global $wpdb;
	update_user_meta( 1, 'peyk_phone', '+989121111111' );
	define( 'WP_UNINSTALL_PLUGIN', 'peyk/peyk.php' );
	require WP_PLUGIN_DIR . '/peyk/uninstall.php';
	same( array(), $wpdb->get_col( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%peyk%' AND option_name NOT LIKE '%peyk_notice%'" ) );
	same( array(), $wpdb->get_col( "SHOW TABLES LIKE '%peyk%'" ) );
	same( '', get_user_meta( 1, 'peyk_phone', true ) );
	same( false, strpos( serialize( _get_cron_array() ), 'peyk' ) );
	Peyk_Messages::activate();
}

function scenario_every_text_of_the_plugin_has_its_persian() {
	$persian = new MO();
	same( true, $persian->import_from_file( WP_PLUGIN_DIR . '/peyk/languages/peyk-fa_IR.mo' ) );
	$found = 0;
	$files = array_merge( glob( WP_PLUGIN_DIR . '/peyk/*.php' ), glob( WP_PLUGIN_DIR . '/peyk/includes/*.php' ) );
	foreach ( $files as $file ) {
		$code = file_get_contents( $file );
		preg_match_all( "/\b(?:__|esc_html__|esc_html_e)\( '((?:[^'\\\\]|\\\\.)*)', 'peyk' \)/", $code, $texts );
		preg_match_all( '/\b(?:__|_e|_x|_n|esc_\w+_[ex_]+)\(/', $code, $calls );
		same( count( $calls[0] ), count( $texts[1] ), "$file: a text that this test cannot read" );
		foreach ( $texts[1] as $text ) {
			$text = stripslashes( $text );
			++$found;
			same( true, $persian->translate( $text ) !== $text, "the Persian of `$text`" );
			same( preg_match_all( '/%(\d\$)?[sd]/', $text ), preg_match_all( '/%(\d\$)?[sd]/', $persian->translate( $text ) ), $text );
		}
	}
	same( true, $found > 70 );
}

function scenario_dates_are_shown_by_the_calendar_of_the_reader() {
	$solar = static function ( $date ) {
		$found = Peyk_Dates::solar( new DateTimeImmutable( $date ) );
		return null === $found ? null : implode( '/', $found );
	};
	$known = array(
		'1921-03-21' => '1300/1/1',
		'1979-02-11' => '1357/11/22',
		'2017-03-20' => '1395/12/30',
		'2021-03-20' => '1399/12/30',
		'2021-03-21' => '1400/1/1',
		'2025-03-20' => '1403/12/30',
		'2025-09-22' => '1404/6/31',
		'2025-09-23' => '1404/7/1',
		'2026-11-22' => '1405/9/1',
		'2030-03-20' => '1408/12/30',
		'1921-03-20' => null,
		'2300-01-01' => null,
	);
	foreach ( $known as $date => $wanted ) {
		same( $wanted, $solar( $date ), $date );
	}
	update_option( 'timezone_string', 'Asia/Tehran' );
	$late = strtotime( '2026-11-22T20:00:00Z' );
	same( '1405/09/01 23:30', Peyk_Dates::show( $late, 'fa_IR', 'H:i' ) );
	same( '1405/09/02', Peyk_Dates::show( $late + 1800, 'fa_IR' ) );
	same( 'November 22, 2026', Peyk_Dates::show( $late, 'en_US' ) );
	update_option( Peyk_Settings::TEXTS, array( 'processing' => array( 'customer' => array( 'on' => true, 'text' => '{date}' ) ) ) );
	add_filter( 'locale', static function () { return 'fa_IR'; } );
	new_order()->update_status( 'processing' );
	same( array( 'queued +989121111111: 1405/09/01' ), told() );
}

/** The example of docs/clients.md, word by word but for the addresses. */
function scenario_requests_of_another_plugin_are_sent_here_by_the_example_of_the_docs() {
	$page    = file_get_contents( dirname( __DIR__, 3 ) . '/docs/clients.md' );
	$example = explode( "\n```", explode( "```php\n<?php\n", $page )[1] )[0];
	eval( str_replace( 'https://sms.example.ir/services.jspd', demo()['url'], $example ) );
	$fields = array( 'op' => 'credit', 'uname' => demo()['uname'], 'pass' => demo()['pass'] );
	$answer = wp_remote_post( 'https://old.example.com/services.jspd', array( 'body' => $fields ) );
	same( 1, preg_match( '/^\[0,"\d+"\]$/', wp_remote_retrieve_body( $answer ) ) );
	$answer = wp_remote_get( 'https://old.example.com/services.jspd?' . http_build_query( $fields ) );
	same( 1, preg_match( '/^\[0,"\d+"\]$/', wp_remote_retrieve_body( $answer ) ) );
}

function scenario_a_right_nonce_does_not_make_up_for_a_missing_capability() {
	add_filter(
		'wp_die_handler',
		static function () {
			return static function ( $words, $title, $args ) {
				throw new DomainException( (string) $args['response'] );
			};
		}
	);
	wp_set_current_user( get_user_by( 'login', 'reader' )->ID );
	require_once WP_PLUGIN_DIR . '/peyk/includes/class-peyk-admin.php';
	$_REQUEST['_wpnonce'] = wp_create_nonce( 'peyk_test' );
	$_POST                = array( 'to' => '09121111111', 'text' => 'Hi' );
	try {
		Peyk_Admin::test();
		same( 'refused', 'let in' );
	} catch ( DomainException $refusal ) {
		same( '403', $refusal->getMessage() );
	}
	same( array(), told() );
	$_POST = array( 'peyk_phone' => '09121111111', 'peyk_phone_nonce' => wp_create_nonce( 'peyk_phone_1' ) );
	Peyk_Phone::save( 1 );
	same( '', get_user_meta( 1, 'peyk_phone', true ), 'the number of somebody else' );
}
