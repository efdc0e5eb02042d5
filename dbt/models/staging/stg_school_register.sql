{{ active_rows('school_register') }}
